/** A program that eats memory, writes to all of it once, and keeps it until it is killed. */
const CHUNK = 2 ** 23;
const bytes = Number(process.argv[2]);

const chunks: Buffer[] = [];
while (chunks.length * CHUNK < bytes) chunks.push(Buffer.alloc(CHUNK, chunks.length + 1));
setInterval(() => chunks.length, 1 << 30);
