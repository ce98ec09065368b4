import './base.css';
import './register.css';
import './runs.css';
import './tasks.css';
import './clusters.css';
import './versions.css';
