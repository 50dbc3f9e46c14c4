// Runs a JSON list of jobs from stdin with npm age-encryption; see PeerJob in age_npm.py.
import * as age from "age-encryption";
import { readFileSync } from "node:fs";

// The lowest work factor that still goes through every line of scrypt: these tests measure nothing.
const SCRYPT_WORK_FACTOR = 4;

const operations = {
  async generate({ key }) {
    return key === "hybrid" ? age.generateHybridIdentity() : age.generateX25519Identity();
  },
  async recipient({ key }) {
    return age.identityToRecipient(key);
  },
  async seal({ key, kind, content, armor }) {
    const encrypter = new age.Encrypter();
    if (kind === "passphrase") {
      encrypter.setScryptWorkFactor(SCRYPT_WORK_FACTOR);
      encrypter.setPassphrase(key);
    } else {
      encrypter.addRecipient(key);
    }
    const sealed = await encrypter.encrypt(Buffer.from(content, "base64"));
    return armor ? age.armor.encode(sealed) : sealed;
  },
  async open({ key, kind, content, armor }) {
    const decrypter = new age.Decrypter();
    kind === "passphrase" ? decrypter.addPassphrase(key) : decrypter.addIdentity(key);
    const sealed = Buffer.from(content, "base64");
    return decrypter.decrypt(armor ? age.armor.decode(sealed.toString("latin1")) : sealed);
  },
};

const answers = [];
for (const job of JSON.parse(readFileSync(0, "utf8"))) {
  answers.push(Buffer.from(await operations[job.operation](job)).toString("base64"));
}
process.stdout.write(JSON.stringify(answers));
