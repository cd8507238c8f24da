import { useState } from 'react';
import { useI18n } from '@/app/context';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { TextField } from '@/ui/TextField';

/** Asks for a day; `onJump` gets its start in the user's time zone. */
export default function JumpToDate({
  onJump,
  onClose,
}: {
  onJump: (time: number) => void;
  onClose: () => void;
}) {
  const { t } = useI18n();
  const [date, setDate] = useState('');
  const go = () => {
    const time = new Date(`${date}T00:00:00`).getTime();
    if (Number.isNaN(time)) return;
    onClose();
    onJump(time);
  };
  return (
    <Dialog
      title={t('message.jumpToDate')}
      size="small"
      onClose={onClose}
      footer={
        <Button kind="primary" disabled={date === ''} onClick={go}>
          {t('message.jump')}
        </Button>
      }
    >
      <TextField
        label={t('message.date')}
        type="date"
        value={date}
        data-autofocus
        max={new Date().toISOString().slice(0, 10)}
        onChange={(event) => setDate(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') go();
        }}
      />
    </Dialog>
  );
}
