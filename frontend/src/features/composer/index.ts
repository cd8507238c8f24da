export { Composer, type ComposerMode } from './Composer';
