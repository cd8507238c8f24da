import { useI18n } from '@/app/context';

/** Stands for a message that could not be drawn, with its source: what was said is never hidden. */
export function Unshowable({ text }: { text: string }) {
  const { t } = useI18n();
  return (
    <div className="prose">
      <p className="italic opacity-80">{t('message.unshowable')}</p>
      <p>{text}</p>
    </div>
  );
}
