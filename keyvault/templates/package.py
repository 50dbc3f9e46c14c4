"""A context and templates of one owner in one piece, as they travel in an upload.

    "bauta.template-package/v1\\n"   context   then for each template: u32 length, template

Numbers are big-endian.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from keyvault.templates.errors import foreign_context, malformed
from keyvault.templates.keys import CONTEXT_BYTES, PublicContext
from keyvault.templates.parameters import MAX_TEMPLATES
from keyvault.templates.templates import MAX_TEMPLATE_BYTES, EncryptedTemplate
from keyvault.templates.vectors import Space

_LABEL = b"bauta.template-package/v1\n"
_LENGTH_BYTES: Final = 4
_WHAT: Final = "package of templates"
MAX_PACKAGE_BYTES: Final = len(_LABEL) + CONTEXT_BYTES + MAX_TEMPLATES * (_LENGTH_BYTES + MAX_TEMPLATE_BYTES)


@dataclass(frozen=True, eq=False)
class TemplatePackage:
    """What a matcher needs.

    Attributes:
        context: of the owner.
        templates: 1 to 8, of that owner, of one space and not transformed.

    Raises:
        TemplateError: template_malformed, template_foreign_context, template_other_network.
    """

    context: PublicContext
    templates: tuple[EncryptedTemplate, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.templates) <= MAX_TEMPLATES:
            raise malformed(_WHAT)
        for template in self.templates:
            template.require_space(self.space)
            if template.transform:
                raise malformed(_WHAT)
            if template.context_id != self.context.context_id:
                raise foreign_context()

    @property
    def space(self) -> Space:
        """Of all templates."""
        return self.templates[0].space

    def to_bytes(self) -> bytes:
        """Its only encoding."""
        parts = [template.to_bytes() for template in self.templates]
        framed = (len(part).to_bytes(_LENGTH_BYTES) + part for part in parts)
        return b"".join((_LABEL, self.context.encoded, *framed))

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> TemplatePackage:
        """Reads what `to_bytes` gives.

        Raises:
            TemplateError: as the class, and template_malformed.
        """
        if len(untrusted) > MAX_PACKAGE_BYTES or not untrusted.startswith(_LABEL):
            raise malformed(_WHAT)
        at = len(_LABEL) + CONTEXT_BYTES
        context = PublicContext.from_bytes(untrusted[len(_LABEL) : at])
        templates: list[EncryptedTemplate] = []
        while at < len(untrusted) and len(templates) < MAX_TEMPLATES:
            begin = at + _LENGTH_BYTES
            end = begin + int.from_bytes(untrusted[at:begin])
            if end > len(untrusted):
                raise malformed(_WHAT)
            templates.append(EncryptedTemplate.from_bytes(untrusted[begin:end]))
            at = end
        if at != len(untrusted):
            raise malformed(_WHAT)
        return cls(context, tuple(templates))
