import { useState } from 'react';
import { useLocation, useRoute } from 'wouter';
import { ChatPane, ConversationList, NewConversation } from '@/features/conversations';
import { Connection } from '@/features/presence';
import { cx } from '@/lib/cx';
import { useChat, useI18n } from './context';
import { Notices } from './Notices';

export interface ShellProps {
  onSignOut: () => Promise<void>;
}

/** The window of somebody who is signed in: the list, and beside it (on a phone: instead of it) one conversation. */
export function Shell({ onSignOut }: ShellProps) {
  const { t } = useI18n();
  const [, params] = useRoute<{ id: string }>('/c/:id');
  const [, navigate] = useLocation();
  const [creating, setCreating] = useState(false);
  const [details, setDetails] = useState(false);
  const selected = params?.id ?? null;
  const exists = useChat((state) => selected !== null && state.conversations[selected] !== undefined);
  const loaded = useChat((state) => state.loaded);
  const shown = selected !== null && (exists || !loaded) ? selected : null;
  return (
    <div className="safe-x flex h-dvh flex-col bg-sidebar">
      <Connection />
      <Notices />
      <div className="flex min-h-0 flex-1">
        <div
          className={cx(
            'flex w-full shrink-0 flex-col border-e border-line sm:w-80 lg:w-[22rem]',
            shown !== null && 'max-sm:hidden',
          )}
        >
          <ConversationList
            selected={shown}
            onSelect={(id) => navigate(`/c/${id}`)}
            onNew={() => setCreating(true)}
            onSettings={() => undefined}
            onSignOut={onSignOut}
          />
        </div>
        <main className={cx('flex min-w-0 flex-1 flex-col bg-canvas', shown === null && 'max-sm:hidden')}>
          {shown !== null && exists ? (
            <ChatPane
              key={shown}
              id={shown}
              onBack={() => navigate('/')}
              details={details}
              onDetails={() => setDetails(!details)}
            />
          ) : (
            <div className="m-auto max-w-xs p-6 text-center">
              <h1 className="text-lg font-semibold">{t('app.empty.title')}</h1>
              <p className="mt-1 text-muted">{t('app.empty.text')}</p>
            </div>
          )}
        </main>
      </div>
      {creating && (
        <NewConversation
          onClose={() => setCreating(false)}
          onStarted={(id) => {
            setCreating(false);
            navigate(`/c/${id}`);
          }}
        />
      )}
    </div>
  );
}
