-- The tables of usage have no row beside their key: half as many rows are written.
CREATE TABLE `usage_flushes` (
	`id` text PRIMARY KEY NOT NULL,
	`n` integer NOT NULL,
	`body` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `usage_destinations` (
	`day` integer NOT NULL,
	`organization_id` integer NOT NULL,
	`destination_id` text NOT NULL,
	`body` text NOT NULL,
	PRIMARY KEY(`day`, `organization_id`, `destination_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `usage_details` (
	`step` integer NOT NULL,
	`organization_id` integer NOT NULL,
	`bucket` integer NOT NULL,
	`id` text NOT NULL,
	`body` text NOT NULL,
	PRIMARY KEY(`step`, `organization_id`, `bucket`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `usage_totals` (
	`step` integer NOT NULL,
	`organization_id` integer NOT NULL,
	`bucket` integer NOT NULL,
	`polls` integer NOT NULL,
	`events` integer NOT NULL,
	`delivered` integer NOT NULL,
	`failed` integer NOT NULL,
	`attempts` integer NOT NULL,
	`rows_written` integer NOT NULL,
	`object_requests` integer NOT NULL,
	`queue_operations` integer NOT NULL,
	`le_10` integer NOT NULL,
	`le_30` integer NOT NULL,
	`le_100` integer NOT NULL,
	`le_300` integer NOT NULL,
	`le_1000` integer NOT NULL,
	`le_3000` integer NOT NULL,
	`le_10000` integer NOT NULL,
	`longer` integer NOT NULL,
	`polls_due` integer DEFAULT 0 NOT NULL,
	`polls_late` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`step`, `organization_id`, `bucket`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `database_sizes` (
	`day` integer PRIMARY KEY NOT NULL,
	`bytes` integer NOT NULL,
	`announced_at` integer
);
--> statement-breakpoint
DROP INDEX `destinations_organization`;--> statement-breakpoint
CREATE INDEX `destinations_list` ON `destinations` (`organization_id`,`id`);--> statement-breakpoint
CREATE INDEX `destinations_owner` ON `destinations` (`owner_id`,`kind`);--> statement-breakpoint
CREATE INDEX `destinations_organization` ON `destinations` (`organization_id`,`kind`,`id`);--> statement-breakpoint
CREATE INDEX `member_sessions_age` ON `member_sessions` (`created_at`);--> statement-breakpoint
CREATE INDEX `member_sessions_idle` ON `member_sessions` (`seen_at`);--> statement-breakpoint
CREATE INDEX `sign_in_failures_age` ON `sign_in_failures` (`until`);--> statement-breakpoint
CREATE INDEX `used_challenges_age` ON `used_challenges` (`expires_at`);--> statement-breakpoint
CREATE INDEX `oauth_verifiers_age` ON `oauth_verifiers` (`created_at`);--> statement-breakpoint
CREATE INDEX `jobs_age` ON `jobs` (`created_at`);