// Lays graphs out beside the page, which goes on meanwhile: a thousand steps take more than a second.

import { layOut } from './layout';
import type { Layout } from './places';

onmessage = ({ data }: MessageEvent<Layout>) => postMessage(layOut(data));
