// Adds to pages that already work without it: copy buttons, dialogs in place of pages, one send per form.
'use strict';

function showCopied(button) {
  const label = button.querySelector('span');
  const icon = button.querySelector('use');
  button.dataset.words ??= label.textContent;
  button.dataset.icon ??= icon.getAttribute('href');
  label.textContent = 'Copied';
  icon.setAttribute('href', button.dataset.icon.replace('#copy', '#check'));
  clearTimeout(Number(button.dataset.timer));
  button.dataset.timer = setTimeout(() => {
    label.textContent = button.dataset.words;
    icon.setAttribute('href', button.dataset.icon);
  }, 2000);
}

function say(targetId, words, isVisible) {
  const status = document.getElementById(`${targetId}-said`);
  if (!status) return;
  status.classList.toggle('visually-hidden', !isVisible);
  status.textContent = words;
}

async function copy(button) {
  const target = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(target.textContent);
  } catch { // no clipboard on plain http, or the browser said no
    getSelection().selectAllChildren(target);
    say(target.id, 'Press Ctrl+C or ⌘C to copy.', true);
    return;
  }
  showCopied(button);
  say(target.id, 'Copied', false);
  target.dispatchEvent(new CustomEvent('queuekey:copied', { bubbles: true }));
}

// A dialog waits in a <template>; each opening starts from a fresh copy, so nothing typed or ticked is left over.
function openDialog(link, template) {
  const dialog = template.content.firstElementChild.cloneNode(true);
  const form = dialog.querySelector('form');
  if (form && !form.hasAttribute('action')) form.action = link.href;
  dialog.querySelectorAll('[data-fill]').forEach((part) => {
    const words = link.getAttribute(`data-fill-${part.dataset.fill}`);
    part.textContent = words;
    part.hidden = !words;
  });
  document.body.append(dialog);
  guardForms(dialog);
  const modal = new bootstrap.Modal(dialog);
  dialog.addEventListener('shown.bs.modal', () => dialog.querySelector('[data-first]')?.focus());
  dialog.addEventListener('hidden.bs.modal', () => { modal.dispose(); dialog.remove(); link.focus(); });
  modal.show();
}

// Bars a double click: the second answer would replace the page that shows the first one's.
function guardForms(root) {
  root.querySelectorAll('form[method="post"]').forEach((form) => form.addEventListener('submit', (event) => {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = 'yes';
    setTimeout(() => delete form.dataset.sent, 5000);
  }));
}

document.querySelectorAll('[data-copy]').forEach((button) => {
  button.hidden = false;
  button.addEventListener('click', () => copy(button));
});

document.querySelectorAll('a[data-dialog]').forEach((link) => link.addEventListener('click', (event) => {
  const template = document.getElementById(link.dataset.dialog);
  const isPlainClick = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!template || !isPlainClick || !window.bootstrap) return;
  event.preventDefault();
  openDialog(link, template);
}));

document.addEventListener('keydown', (event) => { // links that act as buttons take the space bar, as buttons do
  if (event.key !== ' ' || !event.target.matches('a[role="button"]')) return;
  event.preventDefault();
  event.target.click();
});

document.querySelectorAll('details.qk-menu').forEach((menu) => {
  document.addEventListener('click', (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    menu.open = false;
    menu.querySelector('summary').focus();
  });
});

guardForms(document);

// A page out of the back-forward cache may hold a form that was used already.
window.addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  if (document.querySelector('template form, form[data-sent]')) location.reload();
});
