export { type Emoji, emojiByName, emojiIfLoaded, loadEmoji, searchEmoji } from './data';
export { EmojiPopover } from './EmojiPopover';
