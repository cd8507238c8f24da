/** Menus and popovers in a chunk of their own, so that the first paint does not wait for them. */
export { DropdownMenu, Popover } from 'radix-ui';
