export { ChatPane } from './ChatPane';
export { ConversationList } from './ConversationList';
export { NewConversation } from './NewConversation';
