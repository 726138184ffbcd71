// Where a skill stands in its life: the values of `skill_status_enum`.

export const statuses = ['draft', 'active', 'deprecated', 'archived'] as const;

export type Status = (typeof statuses)[number];
