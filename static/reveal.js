// The one page that shows a token: lifts it into a dialog and asks before it is left uncopied.
'use strict';

const reveal = document.getElementById('reveal');
const token = document.getElementById('token');
const ask = document.getElementById('reveal-ask');
const leave = document.getElementById('reveal-leave');
const copyButton = reveal.querySelector('[data-copy="token"]');
let isCopied = false;
let isLeaving = false;

function markCopied() {
  isCopied = true;
  ask.hidden = true;
}

function askFirst() {
  ask.hidden = false;
  copyButton.focus({ focusVisible: true });
}

function goToList() {
  isLeaving = true;
  token.textContent = '';
  location.replace(leave.href);
}

token.addEventListener('queuekey:copied', markCopied);

document.addEventListener('copy', () => { // by keyboard or by the browser's own menu
  if (!token.textContent || !getSelection().toString().includes(token.textContent)) return;
  markCopied();
  showCopied(copyButton);
  say('token', 'Copied', false);
});

leave.addEventListener('click', (event) => {
  event.preventDefault();
  goToList();
});

reveal.addEventListener('hidePrevented.bs.modal', (event) => { // a click beside the dialog
  event.preventDefault(); // Bootstrap would take the focus
  if (!isCopied) askFirst();
});
reveal.addEventListener('hide.bs.modal', (event) => {
  if (isCopied) return;
  event.preventDefault();
  askFirst();
});
reveal.addEventListener('hidden.bs.modal', goToList);
reveal.addEventListener('shown.bs.modal', () => copyButton.focus());

window.addEventListener('beforeunload', (event) => {
  if (isCopied || isLeaving) return;
  event.preventDefault();
  event.returnValue = 'yes'; // older browsers
});
window.addEventListener('pagehide', () => { token.textContent = ''; });
window.addEventListener('pageshow', (event) => { if (event.persisted) goToList(); });

if (window.bootstrap) {
  reveal.classList.remove('qk-flow');
  new bootstrap.Modal(reveal, { backdrop: 'static', keyboard: true }).show();
}
