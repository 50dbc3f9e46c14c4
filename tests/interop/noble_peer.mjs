// Checks signatures with @noble/post-quantum, which age-encryption brings along; a JSON list of
// {algorithm, publicKey, message, signature} from stdin, a list of booleans to stdout.
import { readFileSync } from "node:fs";
import { ml_dsa44, ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { slh_dsa_sha2_128s } from "@noble/post-quantum/slh-dsa.js";

const algorithms = { mldsa44: ml_dsa44, mldsa65: ml_dsa65, slhdsa128s: slh_dsa_sha2_128s };
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));

const answers = JSON.parse(readFileSync(0, "utf8")).map(({ algorithm, publicKey, message, signature }) =>
  algorithms[algorithm].verify(bytes(signature), bytes(message), bytes(publicKey)),
);
process.stdout.write(JSON.stringify(answers));
