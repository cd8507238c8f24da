import { countText } from '@/lib/text';

/** Shows the unread count in the page's icon and, when installed, on the application's. */
const SIZE = 64;

export function drawBadge(count: number): void {
  const badge = navigator as Navigator & { setAppBadge?: (count: number) => Promise<void> };
  void badge.setAppBadge?.(Math.min(count, 999)).catch(() => undefined);
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (link === null) return;
  if (count === 0) {
    link.type = 'image/svg+xml';
    link.href = './icons/icon.svg';
    return;
  }
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement('canvas');
    canvas.width = SIZE;
    canvas.height = SIZE;
    const pen = canvas.getContext('2d');
    if (pen === null) return;
    pen.drawImage(image, 0, 0, SIZE, SIZE);
    pen.fillStyle = '#d92d20';
    pen.beginPath();
    pen.arc(46, 18, 17, 0, 2 * Math.PI);
    pen.fill();
    pen.fillStyle = '#ffffff';
    pen.font = 'bold 24px sans-serif';
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.fillText(countText(count, 9), 46, 19);
    link.type = 'image/png';
    link.href = canvas.toDataURL('image/png');
  };
  image.src = './icons/icon.svg';
}
