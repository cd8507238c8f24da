import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { expect, it } from 'vitest';
import { Menu, MenuItem } from './Menu';
import { loadRadix } from './useRadix';

it('opens as soon as it is loaded when the user pressed earlier', async () => {
  render(
    <Menu label="Choices" trigger={<button type="button">More</button>}>
      <MenuItem onSelect={() => undefined}>One</MenuItem>
    </Menu>,
  );
  fireEvent.click(screen.getByRole('button', { name: 'More' }));
  expect(screen.queryByRole('menu')).toBeNull();
  await loadRadix();
  await waitFor(() => screen.getByRole('menuitem', { name: 'One' }), { timeout: 15_000 });
});
