export { ChatPane } from './ChatPane';
export { ConversationList } from './ConversationList';
export { NothingOpen } from './NothingOpen';
