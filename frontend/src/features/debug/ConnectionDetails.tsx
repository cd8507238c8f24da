import type { ReactNode } from 'react';
import { useChat, useI18n } from '@/app/context';
import type { TimingSummary } from '@/realtime/timings';
import { Dialog } from '@/ui/Dialog';
import { useDetails, useSizes } from './useDetails';

/** Diagnostics of the connection and this client, for users and bug reports. Contains nothing secret. */
export default function ConnectionDetails({ onClose }: { onClose: () => void }) {
  const { t, language } = useI18n();
  const details = useDetails();
  const sizes = useSizes();
  const link = useChat((state) => state.link);
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const timing = ({ count, p50, p95 }: TimingSummary) =>
    p50 === null || p95 === null
      ? '–'
      : t('debug.timing', number.format(p50), number.format(p95), number.format(count));
  return (
    <Dialog title={t('debug.title')} onClose={onClose} readOnly>
      <div className="flex flex-col gap-5">
        <Part title={t('connection.label')}>
          <Line name={t('debug.state')}>
            {t(link === 'offline' ? 'debug.offline' : `connection.${link}`)} ({details.state})
          </Line>
          <Line name={t('debug.tab')}>{t(details.leads ? 'debug.tab.own' : 'debug.tab.other')}</Line>
          <Line name={t('debug.roundTrip')}>{timing(details.roundTrip)}</Line>
          <Line name={t('debug.sendToAck')}>{timing(details.sendToAck)}</Line>
          <Line name={t('debug.receiveToPaint')}>{timing(details.receiveToPaint)}</Line>
        </Part>
        <Part title={t('debug.kept')}>
          <Line name={t('debug.conversations')}>{number.format(details.conversations)}</Line>
          <Line name={t('debug.messages')}>{number.format(details.messages)}</Line>
          <Line name={t('debug.people')}>{number.format(details.people)}</Line>
          <Line name={t('debug.waiting')}>{number.format(details.waiting)}</Line>
          <Line name={t('debug.stored')}>
            {details.stored === null ? '–' : `${number.format(details.stored / 1_000_000)} MB`}
          </Line>
        </Part>
        {sizes.length > 0 && (
          <Part title={t('debug.sizes')}>
            {sizes.map(({ budget, kB, most }) => (
              <Line key={budget} name={t(`debug.sizes.${budget}`)}>
                {t('debug.sizes.of', number.format(kB), number.format(most))}
              </Line>
            ))}
          </Part>
        )}
      </div>
    </Dialog>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="pb-1 font-semibold">{title}</h3>
      <dl>{children}</dl>
    </section>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex flex-wrap justify-between gap-x-4 py-0.5">
      <dt className="text-muted">{name}</dt>
      <dd className="ms-auto text-end tabular-nums">{children}</dd>
    </div>
  );
}
