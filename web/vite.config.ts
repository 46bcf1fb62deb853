/** How the page is built: web/ -> dist/web, hashed files under /assets/, which is a name that no stream may have, and nothing from elsewhere. */
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  // JSX as tsconfig.json says.
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    assetsDir: 'assets',
    // A data: URL for a script or a style is what the policy refuses.
    assetsInlineLimit: 0,
    target: 'es2022',
    // What is shipped in the bundle, and under which licence.
    license: { fileName: 'licenses.md' },
    chunkSizeWarningLimit: 800,
  },
  server: {
    // `npx vite web` beside a running server, for work on the page.
    proxy: { '^/(?!@|src/|node_modules/|$|index.html)': 'http://127.0.0.1:8080' },
  },
});
