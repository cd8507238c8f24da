import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { ApiError } from '@/api/http';
import { useI18n } from '@/app/context';
import { explain } from '@/app/explain';
import type { Accounts } from '@/session/accounts';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/TextField';
import { Logo } from './Logo';

type Mode = 'sign-in' | 'register' | 'waiting';

export interface SignInProps {
  accounts: Accounts;
  expired: boolean;
  initial?: 'sign-in' | 'register';
}

/** The page for users who are not signed in. */
export default function SignIn({ accounts, expired, initial = 'sign-in' }: SignInProps) {
  const { t } = useI18n();
  const [mode, setMode] = useState<Mode>(initial);
  const [email, setEmail] = useState('');
  return (
    <Frame>
      {expired && (
        <p role="status" className="mb-6 rounded-lg bg-selected px-4 py-3 text-sm">
          {t('auth.expired')}
        </p>
      )}
      {mode === 'sign-in' && <SignInForm accounts={accounts} onMode={setMode} />}
      {mode === 'register' && (
        <RegisterForm
          accounts={accounts}
          onMode={setMode}
          onWaiting={(address) => {
            setEmail(address);
            setMode('waiting');
          }}
        />
      )}
      {mode === 'waiting' && <Waiting email={email} onBack={() => setMode('sign-in')} />}
    </Frame>
  );
}

function Frame({ children }: { children: ReactNode }) {
  return (
    <main className="grid h-full place-items-center overflow-y-auto bg-sidebar p-4">
      <div className="w-full max-w-[25rem] py-8">
        <Logo />
        <div className="mt-6 rounded-2xl border border-line bg-raised p-6 shadow-raised sm:p-8">
          {children}
        </div>
      </div>
    </main>
  );
}

function Heading({ title, text }: { title: string; text: string }) {
  return (
    <div className="mb-2">
      <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
      <p className="mt-1 text-muted">{text}</p>
    </div>
  );
}

function Problem({ text }: { text: string | null }) {
  return (
    <p
      role="alert"
      className={text === null ? 'sr-only' : 'rounded-lg bg-danger-soft px-3 py-2 text-sm text-danger'}
    >
      {text}
    </p>
  );
}

/** The start of the server's text about a weak password. */
const WEAK = /^is (too easy to guess|mostly your own)/;
/** The longest delay that browsers accept for a timer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Submits a form and stores the error. */
function useForm(work: () => Promise<void>) {
  const i18n = useI18n();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  // The waiting time is shown until it has passed.
  const waitMs = error instanceof ApiError ? error.retryAfterMs : undefined;
  useEffect(() => {
    if (waitMs === undefined || waitMs > LONGEST_TIMER_MS) return;
    const timer = setTimeout(() => setError(null), waitMs);
    return () => clearTimeout(timer);
  }, [waitMs]);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  /** The server's text about a field continues a sentence that starts with the field's name. */
  const ofField = (field: string, label: string) => {
    const found = error instanceof ApiError ? error.errors.find((one) => one.field === field) : undefined;
    if (found === undefined) return undefined;
    return field === 'password' && WEAK.test(found.detail)
      ? i18n.t('auth.password.weak', found.detail)
      : `${label} ${found.detail}.`;
  };
  const general =
    error === null || (error instanceof ApiError && error.errors.length > 0) ? null : explain(i18n, error);
  return { submit, busy, error, ofField, general };
}

function SignInForm({ accounts, onMode }: { accounts: Accounts; onMode: (mode: Mode) => void }) {
  const { t } = useI18n();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const form = useForm(() => accounts.signIn(username.trim(), password));
  const wrong = form.error instanceof ApiError && form.error.code === 'unauthenticated';
  return (
    <form onSubmit={form.submit} className="flex flex-col gap-4">
      <Heading title={t('auth.welcome')} text={t('auth.welcome.text')} />
      <TextField
        label={t('auth.username')}
        hint={t('auth.username.login')}
        value={username}
        onChange={(event) => setUsername(event.target.value)}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        autoFocus
      />
      <TextField
        label={t('auth.password')}
        type="password"
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        autoComplete="current-password"
        required
      />
      <Problem text={wrong ? t('auth.wrong') : form.general} />
      <Button type="submit" kind="primary" busy={form.busy} className="mt-1 min-h-11">
        {t('auth.signIn')}
      </Button>
      <Switcher text={t('auth.noAccount')} action={t('auth.create')} onClick={() => onMode('register')} />
    </form>
  );
}

interface RegisterProps {
  accounts: Accounts;
  onMode: (mode: Mode) => void;
  onWaiting: (email: string) => void;
}

function RegisterForm({ accounts, onMode, onWaiting }: RegisterProps) {
  const { t } = useI18n();
  const [username, setUsername] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const form = useForm(async () => {
    if (!(await accounts.register(username.trim(), email.trim(), password))) onWaiting(email.trim());
  });
  const code = form.error instanceof ApiError ? form.error.code : null;
  const taken = (wanted: string, text: string) => (code === wanted ? text : undefined);
  return (
    <form onSubmit={form.submit} className="flex flex-col gap-4">
      <Heading title={t('auth.join')} text={t('auth.join.text')} />
      <TextField
        label={t('auth.username')}
        hint={t('auth.username.rule')}
        error={
          form.ofField('username', t('auth.username')) ?? taken('username_taken', t('error.username_taken'))
        }
        value={username}
        onChange={(event) => setUsername(event.target.value)}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        minLength={3}
        maxLength={32}
        required
        autoFocus
      />
      <TextField
        label={t('auth.email')}
        type="email"
        error={form.ofField('email', t('auth.email')) ?? taken('email_taken', t('error.email_taken'))}
        value={email}
        onChange={(event) => setEmail(event.target.value)}
        autoComplete="email"
        required
      />
      <TextField
        label={t('auth.password')}
        type="password"
        hint={t('auth.password.rule')}
        error={form.ofField('password', t('auth.password'))}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        autoComplete="new-password"
        minLength={10}
        required
      />
      <Problem text={code === 'username_taken' || code === 'email_taken' ? null : form.general} />
      <Button type="submit" kind="primary" busy={form.busy} className="mt-1 min-h-11">
        {t('auth.create')}
      </Button>
      <Switcher text={t('auth.hasAccount')} action={t('auth.signIn')} onClick={() => onMode('sign-in')} />
    </form>
  );
}

function Switcher({ text, action, onClick }: { text: string; action: string; onClick: () => void }) {
  return (
    <div className="mt-2 flex items-center justify-center gap-1 border-t border-line pt-4 text-sm text-muted">
      <span>{text}</span>
      <Button kind="quiet" onClick={onClick} className="min-h-9 px-1.5">
        {action}
      </Button>
    </div>
  );
}

function Waiting({ email, onBack }: { email: string; onBack: () => void }) {
  const { t } = useI18n();
  return (
    <div className="flex flex-col gap-4">
      <Heading title={t('auth.verify.waiting')} text={t('auth.verify.text', email)} />
      <Button kind="primary" onClick={onBack}>
        {t('auth.back')}
      </Button>
    </div>
  );
}
