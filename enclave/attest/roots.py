"""The vendors' root certificates, by the SHA-256 of their DER encoding.

A root is public: a document or the collateral beside it may bring the certificate, and it counts only if its
fingerprint stands here. Each was compared with the vendor's file as other public verifiers carry it and, for
Milan, Intel and Nitro, with the certificate that comes with real evidence.

    AMD    kdsintf.amd.com/vcek/v1/{Milan,Genoa,Turin}/cert_chain, the second certificate (ARK)
    Intel  certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.cer
    AWS    aws-nitro-enclaves.amazonaws.com/AWS_NitroEnclaves_Root-G1.zip
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Fingerprint to what it vouches for. For AMD that is the product line: a Milan root vouches for Milan only.
AMD_ROOTS: Mapping[str, str] = MappingProxyType(
    {
        "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd": "Milan",
        "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1": "Genoa",
        "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a": "Turin",
    }
)
INTEL_ROOTS: Mapping[str, str] = MappingProxyType(
    {"44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3": "Intel SGX Root CA"}
)
NITRO_ROOTS: Mapping[str, str] = MappingProxyType(
    {"641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b": "aws.nitro-enclaves"}
)
