// Whether the window is that of a phone.

import { useSyncExternalStore } from 'react';

const NARROW = matchMedia('(max-width: 40rem)');

export function useIsNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      NARROW.addEventListener('change', listener);
      return () => NARROW.removeEventListener('change', listener);
    },
    () => NARROW.matches,
  );
}
