CREATE TABLE `flow_tickets` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`template_id` text NOT NULL,
	`drop_runs` integer NOT NULL,
	`status` text NOT NULL,
	`steps_total` integer NOT NULL,
	`steps_done` integer NOT NULL,
	`last_id` text NOT NULL,
	`errors` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `flow_triggers` (
	`flow_id` text NOT NULL,
	`component_id` text NOT NULL,
	`organization_id` integer NOT NULL,
	`user_id` integer NOT NULL,
	`kind` text NOT NULL,
	`key` text NOT NULL,
	`active` integer NOT NULL,
	`steps` text NOT NULL,
	`properties` text NOT NULL,
	`next_minute` integer,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`flow_id`, `component_id`)
);
--> statement-breakpoint
CREATE INDEX `flow_triggers_user` ON `flow_triggers` (`user_id`,`key`) WHERE kind = 'app-event';--> statement-breakpoint
CREATE INDEX `flow_triggers_source` ON `flow_triggers` (`organization_id`,`kind`,`key`) WHERE kind IN ('instance', 'resource');--> statement-breakpoint
CREATE INDEX `flow_triggers_schedule` ON `flow_triggers` (`next_minute`) WHERE next_minute IS NOT NULL;--> statement-breakpoint
CREATE TABLE `flows` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`user_id` integer NOT NULL,
	`name` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`type` text DEFAULT 'automation' NOT NULL,
	`stage` text DEFAULT 'stopped' NOT NULL,
	`flow` text NOT NULL,
	`custom_fields` text DEFAULT '{}' NOT NULL,
	`wizard` text,
	`thumbnail` text,
	`shared_with` text DEFAULT '[]' NOT NULL,
	`origin_flow_id` text,
	`origin_flow` text,
	`component_id_map` text,
	`revision` integer DEFAULT 1 NOT NULL,
	`btime` integer NOT NULL,
	`mtime` integer NOT NULL,
	`started` integer
);
--> statement-breakpoint
CREATE INDEX `flows_user` ON `flows` (`user_id`);--> statement-breakpoint
CREATE INDEX `flows_organization` ON `flows` (`organization_id`);--> statement-breakpoint
CREATE INDEX `flows_origin` ON `flows` (`origin_flow_id`) WHERE origin_flow_id IS NOT NULL;--> statement-breakpoint
CREATE TABLE `sign_in_failures` (
	`key` text PRIMARY KEY NOT NULL,
	`count` integer NOT NULL,
	`until` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `unprocessed` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`flow_id` text NOT NULL,
	`component_id` text NOT NULL,
	`correlation_id` text NOT NULL,
	`stream` text NOT NULL,
	`seq` integer NOT NULL,
	`error` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `unprocessed_user` ON `unprocessed` (`user_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `unprocessed_flow` ON `unprocessed` (`flow_id`);--> statement-breakpoint
CREATE INDEX `unprocessed_age` ON `unprocessed` (`created_at`);--> statement-breakpoint
ALTER TABLE `users` ADD `username` text;--> statement-breakpoint
ALTER TABLE `users` ADD `is_active` integer DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `plan` text DEFAULT 'free' NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `metadata` text;--> statement-breakpoint
ALTER TABLE `users` ADD `token_version` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `users_username_unique` ON `users` (`username`);