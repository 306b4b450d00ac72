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
CREATE INDEX `inbound_routes_instance` ON `inbound_routes` (`instance_id`);