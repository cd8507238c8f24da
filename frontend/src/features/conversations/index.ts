export { ChatPane } from './ChatPane';
export { ConversationList } from './ConversationList';
