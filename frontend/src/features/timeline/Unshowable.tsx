import { useI18n } from '@/app/context';

/** Replaces a message that failed to render and shows its source, so that the text is never hidden. */
export function Unshowable({ text }: { text: string }) {
  const { t } = useI18n();
  return (
    <div className="prose">
      <p className="italic opacity-80">{t('message.unshowable')}</p>
      <p>{text}</p>
    </div>
  );
}
