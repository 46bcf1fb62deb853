/**
 * Builds the page: web/ -> dist/web by Vite, and beside each text a `.br` and a `.gz` of it, which the server sends to those who take them. Made in a folder of its
 * own and put in place whole, so that who builds at the same time, or serves, never sees half of it.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** Smaller ones are not worth a coding. */
const MIN_BYTES = 1024;

const root = dirname(dirname(fileURLToPath(import.meta.url)));

async function buildPage() {
  mkdirSync(join(root, 'dist'), { recursive: true });
  const made = mkdtempSync(join(root, 'dist', '.web-'));
  const web = join(made, 'web');
  try {
    await build({ configFile: join(root, 'web', 'vite.config.ts'), logLevel: 'warn', build: { outDir: web } });
    for (const entry of readdirSync(web, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      if (!entry.isFile() || !/\.(js|css|html|svg|md)$/.test(entry.name)) continue;
      const text = readFileSync(file);
      if (text.byteLength < MIN_BYTES) continue;
      writeFileSync(`${file}.br`, brotliCompressSync(text));
      writeFileSync(`${file}.gz`, gzipSync(text, { level: 9 }));
    }
    const place = join(root, 'dist', 'web');
    rmSync(place, { recursive: true, force: true });
    try {
      renameSync(web, place);
    } catch (error) {
      // Somebody else was quicker, with the same sources.
      if (error.code !== 'ENOTEMPTY') throw error;
    }
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

await buildPage();
