CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`name` text NOT NULL,
	`key_hash` text NOT NULL,
	`scopes` text NOT NULL,
	`expires_at` integer,
	`last_used_at` integer,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_key_hash_unique` ON `api_keys` (`key_hash`);--> statement-breakpoint
CREATE INDEX `api_keys_organization` ON `api_keys` (`organization_id`);--> statement-breakpoint
CREATE TABLE `counters` (
	`name` text PRIMARY KEY NOT NULL,
	`value` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `destinations` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`kind` text NOT NULL,
	`owner_id` text NOT NULL,
	`url` text,
	`enabled` integer DEFAULT true NOT NULL,
	`active` integer DEFAULT true NOT NULL,
	`headers_sealed` text,
	`legacy_key_sealed` text,
	`signing_keys` text NOT NULL,
	`policy` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `destinations_organization` ON `destinations` (`organization_id`,`kind`);--> statement-breakpoint
CREATE TABLE `instances` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`user_id` integer NOT NULL,
	`element_key` text NOT NULL,
	`name` text NOT NULL,
	`tags` text NOT NULL,
	`token_hash` text NOT NULL,
	`token_sealed` text NOT NULL,
	`configuration` text NOT NULL,
	`secrets` text NOT NULL,
	`external_authentication` text DEFAULT 'none' NOT NULL,
	`valid` integer NOT NULL,
	`invalid_reason` text,
	`disabled` integer DEFAULT false NOT NULL,
	`poller_disabled` text,
	`interval` integer,
	`slot` integer,
	`baseline` integer NOT NULL,
	`enabled_at` integer NOT NULL,
	`refresh_lease_until` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `instances_token` ON `instances` (`token_hash`);--> statement-breakpoint
CREATE INDEX `instances_organization` ON `instances` (`organization_id`,`id`);--> statement-breakpoint
CREATE INDEX `instances_schedule` ON `instances` (`interval`,`slot`) WHERE interval IS NOT NULL;--> statement-breakpoint
CREATE INDEX `instances_poller_disabled` ON `instances` (`organization_id`) WHERE poller_disabled IS NOT NULL;--> statement-breakpoint
CREATE TABLE `organizations` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`secret_hash` text NOT NULL,
	`settings` text DEFAULT '{}' NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `organizations_secret_hash_unique` ON `organizations` (`secret_hash`);--> statement-breakpoint
CREATE TABLE `schedule` (
	`id` integer PRIMARY KEY NOT NULL,
	`last_minute` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `users` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`organization_id` integer NOT NULL,
	`email` text NOT NULL,
	`first_name` text DEFAULT '' NOT NULL,
	`last_name` text DEFAULT '' NOT NULL,
	`secret_hash` text NOT NULL,
	`password_hash` text NOT NULL,
	`username` text,
	`is_active` integer DEFAULT true NOT NULL,
	`plan` text DEFAULT 'free' NOT NULL,
	`metadata` text,
	`token_version` integer DEFAULT 1 NOT NULL,
	`role` text DEFAULT 'user' NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_email_unique` ON `users` (`email`);--> statement-breakpoint
CREATE UNIQUE INDEX `users_secret_hash_unique` ON `users` (`secret_hash`);--> statement-breakpoint
CREATE UNIQUE INDEX `users_username_unique` ON `users` (`username`);--> statement-breakpoint
CREATE TABLE `user_connectors` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`key` text NOT NULL,
	`definition` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `user_connectors_key` ON `user_connectors` (`organization_id`,`key`);--> statement-breakpoint
CREATE TABLE `inbound_routes` (
	`family` text NOT NULL,
	`tenant` text NOT NULL,
	`instance_id` integer NOT NULL,
	PRIMARY KEY(`family`, `tenant`, `instance_id`)
);
--> statement-breakpoint
CREATE INDEX `inbound_routes_instance` ON `inbound_routes` (`instance_id`);--> statement-breakpoint
CREATE TABLE `audit` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`organization_id` integer NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`target` text NOT NULL,
	`request_id` text NOT NULL,
	`changes` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_organization` ON `audit` (`organization_id`,`at`);--> statement-breakpoint
CREATE TABLE `consumers` (
	`stream` text NOT NULL,
	`name` text NOT NULL,
	`cursor` text NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`stream`, `name`)
);
--> statement-breakpoint
CREATE TABLE `exceptions` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`stream` text NOT NULL,
	`destination_id` text NOT NULL,
	`status` text NOT NULL,
	`reason` text,
	`attempts` integer NOT NULL,
	`next_attempt_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `exceptions_organization` ON `exceptions` (`organization_id`,`updated_at`);--> statement-breakpoint
CREATE INDEX `exceptions_destination` ON `exceptions` (`destination_id`,`status`);--> statement-breakpoint
CREATE TABLE `jobs` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`kind` text NOT NULL,
	`parts` text NOT NULL,
	`total` integer,
	`error` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `rollups` (
	`organization_id` integer NOT NULL,
	`bucket` integer NOT NULL,
	`source` text NOT NULL,
	`destination_id` text NOT NULL,
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
	PRIMARY KEY(`organization_id`, `bucket`, `source`, `destination_id`)
);
--> statement-breakpoint
CREATE TABLE `resource_changes` (
	`organization_id` integer NOT NULL,
	`seq` integer NOT NULL,
	`at` integer NOT NULL,
	`event_id` text NOT NULL,
	`type` text NOT NULL,
	`group_name` text NOT NULL,
	`kind` text NOT NULL,
	`scope` text NOT NULL,
	`name` text NOT NULL,
	`resource_id` text NOT NULL,
	`body` text NOT NULL,
	`targets` text NOT NULL,
	PRIMARY KEY(`organization_id`, `seq`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `resource_cursors` (
	`organization_id` integer PRIMARY KEY NOT NULL,
	`handed_seq` integer DEFAULT 0 NOT NULL,
	`listeners_version` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE `resources` (
	`organization_id` integer NOT NULL,
	`kind` text NOT NULL,
	`scope` text NOT NULL,
	`name` text NOT NULL,
	`id` text NOT NULL,
	`title` text NOT NULL,
	`version` integer NOT NULL,
	`state` text,
	`seq` integer NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`modified_at` integer NOT NULL,
	`modified_by` text NOT NULL,
	`content` text NOT NULL,
	PRIMARY KEY(`organization_id`, `kind`, `scope`, `name`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `resources_kind` ON `resources` (`organization_id`,`kind`,`seq`);--> statement-breakpoint
CREATE INDEX `resources_scope` ON `resources` (`organization_id`,`kind`,`scope`,`seq`);--> statement-breakpoint
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
CREATE INDEX `unprocessed_age` ON `unprocessed` (`created_at`);