import type { ClusterClass } from '../_api';

/** Return the arguments of a cluster class. */
export function clusterClass(name: string): ClusterClass {
  return {
    name,
    purpose: 'Clusters of this test.',
    options_schema: {
      type: 'object',
      properties: {
        zone: { title: 'zone', type: 'string' },
        disk: { title: 'disk', type: 'integer', default: 50 },
        labels: { title: 'labels', type: 'object' }
      },
      required: []
    },
    open: false,
    hidden: ['api_token']
  };
}
