// Numbers in words. The browser's own way to write them takes tens of milliseconds the first time.

export function count(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function fileSize(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let unit = 0;
  let amount = bytes;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return unit ? `${amount.toFixed(1)} ${units[unit]}` : `${bytes} bytes`;
}
