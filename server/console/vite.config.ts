import { defineConfig } from 'vite';

export default defineConfig({
  // Where server/pages.py serves what is built into dist/.
  base: '/console/',
  resolve: {
    // Two copies of either would not recognise each other's objects.
    dedupe: ['graphql', 'react', 'react-dom'],
  },
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 1_000,
    reportCompressedSize: false,
    rolldownOptions: {
      // "use client" means nothing in a page that has no server side.
      onLog: (level, log, report) => log.code === 'MODULE_LEVEL_DIRECTIVE' || report(level, log),
    },
  },
});
