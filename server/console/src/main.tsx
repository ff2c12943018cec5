// The console: the page on which people watch and drive executions.

import './style/base.css';
import './style/parts.css';
import './style/graph.css';
import { createRoot } from 'react-dom/client';
import { App } from './App';

createRoot(document.getElementById('console')!).render(<App />);
