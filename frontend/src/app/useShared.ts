import { useCallback, useEffect, useState } from 'react';
import { navigate, useRoute } from './route';
import { forgetShared, readShared } from './shared';

/**
 * A text that another application shared, on the page `/share` that the service worker opens, with a function to
 * finish. It waits there until a user signs in.
 */
export function useShared(): [string | null, () => void] {
  const here = useRoute()[0] === 'share';
  const [text, setText] = useState<string | null>(null);
  useEffect(() => {
    if (!here) return;
    void readShared().then((found) => {
      setText(found);
      if (found === null) navigate('/', true);
    });
  }, [here]);
  const done = useCallback(() => {
    setText(null);
    void forgetShared();
    navigate('/', true);
  }, []);
  return [here ? text : null, done];
}
