CREATE TABLE `outdated` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`key` text NOT NULL,
	`changed` text NOT NULL
);--> statement-breakpoint
CREATE TRIGGER `outdated_instances_update` AFTER UPDATE OF organization_id, user_id, element_key, name, tags, token_sealed, configuration, secrets, external_authentication, valid, invalid_reason, disabled, poller_disabled, registration_fault, baseline, enabled_at, updated_at ON `instances`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('instance:' || NEW.id, 'instance:' || NEW.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_instances_delete` AFTER DELETE ON `instances`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('instance:' || OLD.id, 'instance:' || OLD.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_inbound_routes_insert` AFTER INSERT ON `inbound_routes`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('tenant:' || NEW.family || ':' || NEW.tenant, 'instance:' || NEW.instance_id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_inbound_routes_delete` AFTER DELETE ON `inbound_routes`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('tenant:' || OLD.family || ':' || OLD.tenant, 'instance:' || OLD.instance_id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_flow_triggers_insert` AFTER INSERT ON `flow_triggers` WHEN NEW.kind IN ('instance', 'app-event')
BEGIN
  INSERT INTO outdated (key, changed) VALUES (CASE NEW.kind WHEN 'instance' THEN 'instance:' || NEW.key ELSE 'user:' || NEW.user_id || '/listeners/' || NEW.key END, 'flow:' || NEW.flow_id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_flow_triggers_delete` AFTER DELETE ON `flow_triggers` WHEN OLD.kind IN ('instance', 'app-event')
BEGIN
  INSERT INTO outdated (key, changed) VALUES (CASE OLD.kind WHEN 'instance' THEN 'instance:' || OLD.key ELSE 'user:' || OLD.user_id || '/listeners/' || OLD.key END, 'flow:' || OLD.flow_id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_flow_triggers_before` AFTER UPDATE OF user_id, kind, key, active, steps, properties, created_at ON `flow_triggers` WHEN OLD.kind IN ('instance', 'app-event')
BEGIN
  INSERT INTO outdated (key, changed) VALUES (CASE OLD.kind WHEN 'instance' THEN 'instance:' || OLD.key ELSE 'user:' || OLD.user_id || '/listeners/' || OLD.key END, 'flow:' || OLD.flow_id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_flow_triggers_after` AFTER UPDATE OF user_id, kind, key, active, steps, properties, created_at ON `flow_triggers` WHEN NEW.kind IN ('instance', 'app-event')
BEGIN
  INSERT INTO outdated (key, changed) VALUES (CASE NEW.kind WHEN 'instance' THEN 'instance:' || NEW.key ELSE 'user:' || NEW.user_id || '/listeners/' || NEW.key END, 'flow:' || NEW.flow_id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_flows_update` AFTER UPDATE ON `flows`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('flow:' || NEW.id, 'flow:' || NEW.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_flows_delete` AFTER DELETE ON `flows`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('flow:' || OLD.id, 'flow:' || OLD.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_destinations_update` AFTER UPDATE ON `destinations`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('organization:' || NEW.organization_id || '/' || NEW.id,
    CASE NEW.kind WHEN 'flow-step' THEN 'flow:' || NEW.owner_id WHEN 'instance' THEN 'instance:' || NEW.owner_id ELSE 'organization:' || NEW.organization_id END);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_destinations_delete` AFTER DELETE ON `destinations`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('organization:' || OLD.organization_id || '/' || OLD.id,
    CASE OLD.kind WHEN 'flow-step' THEN 'flow:' || OLD.owner_id WHEN 'instance' THEN 'instance:' || OLD.owner_id ELSE 'organization:' || OLD.organization_id END);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_users_update` AFTER UPDATE OF organization_id, username, email, email_verified_at, is_active, plan, metadata, token_version, role, deleting_at ON `users`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('user:' || NEW.id, 'user:' || NEW.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_users_delete` AFTER DELETE ON `users`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('user:' || OLD.id, 'user:' || OLD.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_users_switch` AFTER UPDATE OF is_active, deleting_at ON `users` WHEN OLD.is_active IS NOT NEW.is_active OR OLD.deleting_at IS NOT NEW.deleting_at
BEGIN
  INSERT INTO outdated (key, changed) SELECT 'flow:' || id, 'user:' || NEW.id FROM flows WHERE user_id = NEW.id;
  INSERT INTO outdated (key, changed) SELECT DISTINCT 'instance:' || key, 'user:' || NEW.id FROM flow_triggers
    WHERE organization_id = NEW.organization_id AND kind = 'instance' AND kind IN ('instance', 'resource') AND user_id = NEW.id;
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_organizations_update` AFTER UPDATE OF settings, deleting_at ON `organizations`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('organization:' || NEW.id, 'organization:' || NEW.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_organizations_delete` AFTER DELETE ON `organizations`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('organization:' || OLD.id, 'organization:' || OLD.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_user_connectors_update` AFTER UPDATE ON `user_connectors`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('connector:' || NEW.id, 'connector:' || NEW.id),
    ('connectors:' || NEW.organization_id || '/' || NEW.key, 'connector:' || NEW.id);
END;
--> statement-breakpoint
CREATE TRIGGER `outdated_user_connectors_delete` AFTER DELETE ON `user_connectors`
BEGIN
  INSERT INTO outdated (key, changed) VALUES ('connector:' || OLD.id, 'connector:' || OLD.id),
    ('connectors:' || OLD.organization_id || '/' || OLD.key, 'connector:' || OLD.id);
END;
