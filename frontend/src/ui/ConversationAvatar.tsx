import type { Conversation } from '@/protocol';
import { Avatar, type AvatarProps } from './Avatar';

export interface ConversationAvatarProps extends Pick<AvatarProps, 'size' | 'presence'> {
  conversation: Conversation;
  title: string;
}

/** The avatar of a conversation: in a direct one that of the other user. */
export function ConversationAvatar({ conversation, title, ...rest }: ConversationAvatarProps) {
  const { peer } = conversation;
  return (
    <Avatar
      id={peer?.id ?? conversation.id}
      name={title}
      url={peer?.avatar_url ?? conversation.avatar_url}
      group={conversation.kind !== 'direct'}
      {...rest}
    />
  );
}
