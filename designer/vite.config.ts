import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Writes a compressed file beside each text file, which the API sends as it is. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      const folder = fileURLToPath(new URL('./dist', import.meta.url));
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        const file = join(folder, name);
        if (/\.(js|css|svg|html|json)$/.test(name) && statSync(file).size > 1024) {
          writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
        }
      }
    },
  };
}

const api = process.env.CALLWEAVE_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), compressed()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: { target: 'es2023', sourcemap: false, chunkSizeWarningLimit: 1600, reportCompressedSize: false },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/graphql': { target: api, ws: true },
      '/sip': { target: api, ws: true },
      '/files': api,
      '/healthz': api,
    },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'], pool: 'threads' },
} as Parameters<typeof defineConfig>[0]);
