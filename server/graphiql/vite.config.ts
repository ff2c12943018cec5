import { defineConfig } from 'vite';

export default defineConfig({
  // Where server/pages.py serves what is built into dist/.
  base: '/graphiql/',
  resolve: {
    // Two copies of either would not recognise each other's objects.
    dedupe: ['graphql', 'react', 'react-dom'],
  },
  build: {
    target: 'es2022',
    // Monaco, an editor with its language workers, is large by nature and is loaded from this very machine.
    chunkSizeWarningLimit: 8_000,
    reportCompressedSize: false,
    rolldownOptions: {
      // "use client" means nothing in a page that has no server side.
      onLog: (level, log, report) => log.code === 'MODULE_LEVEL_DIRECTIVE' || report(level, log),
    },
  },
});
