// The lowest contrast ratio (WCAG 2.2, "relative luminance") of any visible text on the page.
(() => {
  const parse = (text) => {
    const numbers = (text.match(/[\d.]+/g) ?? []).map(Number);
    return { rgb: numbers.slice(0, 3), alpha: numbers.length > 3 ? numbers[3] : 1 };
  };
  const over = (top, ground) => top.rgb.map((value, k) => value * top.alpha + ground[k] * (1 - top.alpha));
  const groundOf = (element) => {
    if (!element) return parse(getComputedStyle(document.body).backgroundColor).rgb;
    return over(parse(getComputedStyle(element).backgroundColor), groundOf(element.parentElement));
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let worst = { ratio: 21, text: "", checked: 0 };
  let checked = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    if (!element.checkVisibility() || element.classList.contains("unseen")) continue;
    const ground = groundOf(element);
    const [a, b] = [luminance(over(parse(getComputedStyle(element).color), ground)), luminance(ground)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    checked += 1;
    if (ratio < worst.ratio) worst = { ratio, text: node.data.trim().slice(0, 60), class: element.className };
  }
  return { ...worst, checked };
})()
