import { configure } from '@testing-library/react';

// The default of one second is too short where several test runs share a processor.
configure({ asyncUtilTimeout: 60_000 });
