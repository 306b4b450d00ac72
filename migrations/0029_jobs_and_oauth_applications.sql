CREATE TABLE `oauth_applications` (
	`organization_id` integer NOT NULL,
	`connector` text NOT NULL,
	`client_id` text NOT NULL,
	`sealed` text NOT NULL,
	`callback_url` text NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `connector`)
);
--> statement-breakpoint
ALTER TABLE `jobs` ADD `actor` text;--> statement-breakpoint
CREATE INDEX `jobs_of_organization` ON `jobs` (`organization_id`,`created_at`,`id`);