import { act, renderHook, waitFor } from '@testing-library/react';
import { beforeEach, expect, it } from 'vitest';
import { navigate, useRoute } from './route';

beforeEach(() => history.replaceState(null, '', '/chat/?utm=1'));

it.each([
  ['', ['']],
  ['#/', ['']],
  ['#/share', ['share']],
  ['#/c/65f0/12', ['c', '65f0', '12']],
])('parses the address %j as %j', (hash, parts) => {
  history.replaceState(null, '', hash || '#');
  expect(renderHook(() => useRoute()).result.current).toEqual(parts);
});

it('follows navigation, keeps the rest of the address, and returns', async () => {
  const { result } = renderHook(() => useRoute());
  act(() => navigate('/c/a'));
  act(() => navigate('/c/b/7'));
  act(() => navigate('/c/b', true));
  expect(result.current).toEqual(['c', 'b']);
  expect(location.href).toMatch(/\/chat\/\?utm=1#\/c\/b$/);
  history.back();
  await waitFor(() => expect(result.current).toEqual(['c', 'a']));
});
