// What a page has to have so that everybody can read it; returns what it lacks.
const found = [], text = e => (e.textContent || '').trim(), all = s => [...document.querySelectorAll(s)];
for (const e of all('input, select')) if (!e.labels.length || !text(e.labels[0])) found.push('no label: ' + e.id);
for (const e of all('img')) if (!e.hasAttribute('alt')) found.push('no alt');
for (const e of all('[role=img]')) if (!text(document.getElementById(e.getAttribute('aria-labelledby').split(' ')[0]) || e))
  found.push('no name: svg');
for (const e of all('table')) if (!e.caption && !e.getAttribute('aria-label')) found.push('no caption: ' + text(e).slice(0, 40));
for (const e of all('th')) if (!e.scope) found.push('no scope: ' + text(e));
for (const e of all('thead th')) if (!text(e)) found.push('empty header');
for (const e of all('button, a, summary')) if (!text(e)) found.push('no name: ' + e.outerHTML);
for (const e of all('.scroll, .words')) if (e.tabIndex !== 0 || !e.getAttribute('aria-label')) found.push('not reached: ' + e.className);
for (const s of ['main', 'header', 'head title', 'h1', '.skip']) if (all(s).length !== 1) found.push('not one: ' + s);
if (!document.documentElement.lang) found.push('no language');
const levels = all('h1, h2, h3, h4, h5, h6').map(h => Number(h.tagName[1]));
levels.reduce((before, level) => { if (level > before + 1) found.push('h' + level + ' after h' + before); return level; }, 0);
const ids = all('[id]').map(e => e.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push('twice: ' + id);
for (const e of all('a[href^="#"]')) if (!document.getElementById(decodeURIComponent(e.hash.slice(1)))) found.push('leads nowhere: ' + e.hash);
return found;
