/** Menus and popovers, in a part of their own: the first picture does not wait for what opens later. */
export { DropdownMenu, Popover } from 'radix-ui';
