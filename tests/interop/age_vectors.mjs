// Prints the whole cctv-age corpus as one JSON object: vector name to base64 of the vector file.
import * as corpus from "cctv-age";

const files = Object.entries(corpus).map(([name, file]) => [name, Buffer.from(file).toString("base64")]);
process.stdout.write(JSON.stringify(Object.fromEntries(files)));
