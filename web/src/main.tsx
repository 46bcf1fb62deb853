/** The page begins here. */
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import { render } from 'preact';
import { Shell } from './Shell';
import { begin } from './state/session';

const place = document.getElementById('page');
if (place) render(<Shell />, place);
void begin();
