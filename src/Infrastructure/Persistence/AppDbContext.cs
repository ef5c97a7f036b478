using System.Linq.Expressions;
using Dashboard.Domain;
using Dashboard.Domain.Alerts;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Notifications;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Costs;
using Dashboard.Infrastructure.Persistence.Configurations;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>
/// The record of everything. Opened through <see cref="AppDatabase"/>: for a team, which filters every team-owned
/// table, or for the system. One short context per operation.
/// </summary>
public sealed class AppDbContext(DbContextOptions<AppDbContext> options) : IdentityDbContext<DashboardUser, IdentityRole<Guid>, Guid>(options)
{
    /// <summary>Only this team's rows are seen. Null: background work, which names its teams itself.</summary>
    public TeamId? TeamScope { get; internal set; }

    public DbSet<Team> Teams => Set<Team>();

    public DbSet<Membership> Memberships => Set<Membership>();

    public DbSet<Project> Projects => Set<Project>();

    public DbSet<Connection> Connections => Set<Connection>();

    public DbSet<Job> Jobs => Set<Job>();

    public DbSet<Attempt> Attempts => Set<Attempt>();

    public DbSet<JobEvent> JobEvents => Set<JobEvent>();

    public DbSet<Artifact> Artifacts => Set<Artifact>();

    public DbSet<Instance> Instances => Set<Instance>();

    public DbSet<LedgerEntry> Ledger => Set<LedgerEntry>();

    public DbSet<Budget> Budgets => Set<Budget>();

    public DbSet<RoleLimit> RoleLimits => Set<RoleLimit>();

    public DbSet<Decision> Decisions => Set<Decision>();

    public DbSet<BudgetHold> BudgetHolds => Set<BudgetHold>();

    public DbSet<SpendStep> SpendSteps => Set<SpendStep>();

    public DbSet<BillLine> BillLines => Set<BillLine>();

    public DbSet<BillReading> BillReadings => Set<BillReading>();

    public DbSet<ForgottenRental> ForgottenRentals => Set<ForgottenRental>();

    public DbSet<InboxItem> Inbox => Set<InboxItem>();

    public DbSet<OutboxMessage> Outbox => Set<OutboxMessage>();

    public DbSet<Notice> Notices => Set<Notice>();

    public DbSet<NotificationChannel> Channels => Set<NotificationChannel>();

    public DbSet<Delivery> Deliveries => Set<Delivery>();

    public DbSet<AlertRule> AlertRules => Set<AlertRule>();

    public DbSet<AlertMove> AlertMoves => Set<AlertMove>();

    public DbSet<ApiToken> ApiTokens => Set<ApiToken>();

    public DbSet<PriceSeriesRow> PriceSeries => Set<PriceSeriesRow>();

    public DbSet<PriceWatch> PriceWatches => Set<PriceWatch>();

    public DbSet<PriceAlertRow> PriceAlerts => Set<PriceAlertRow>();

    public DbSet<PriceAccountRow> PriceAccounts => Set<PriceAccountRow>();

    public DbSet<PricePointRow> PricePoints => Set<PricePointRow>();

    public DbSet<PriceHourRow> PriceHours => Set<PriceHourRow>();

    public DbSet<PriceDayRow> PriceDays => Set<PriceDayRow>();

    public DbSet<Installation> Installations => Set<Installation>();

    public DbSet<UnknownMachine> UnknownMachines => Set<UnknownMachine>();

    /// <summary>Identity's tables with passkeys. Read from its options, so whoever builds a context sets it there.</summary>
    public static Version IdentityShape => IdentitySchemaVersions.Version3;

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);

        // SQLite cannot order DateTimeOffset; Unix milliseconds can be ordered, compared and indexed everywhere.
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UnixMilliseconds>();
        configurationBuilder.Properties<TimeSpan>().HaveConversion<long>();
        configurationBuilder.Properties<Enum>().HaveConversion<string>().HaveMaxLength(32);

        configurationBuilder.Properties<TeamId>().HaveConversion<IdConverters.Team>();
        configurationBuilder.Properties<UserId>().HaveConversion<IdConverters.User>();
        configurationBuilder.Properties<ConnectionId>().HaveConversion<IdConverters.Connection>();
        configurationBuilder.Properties<ProjectId>().HaveConversion<IdConverters.Project>();
        configurationBuilder.Properties<JobId>().HaveConversion<IdConverters.Job>();
        configurationBuilder.Properties<AttemptId>().HaveConversion<IdConverters.Attempt>();
        configurationBuilder.Properties<InstanceId>().HaveConversion<IdConverters.Instance>();
        configurationBuilder.Properties<AlertRuleId>().HaveConversion<IdConverters.AlertRule>();
        configurationBuilder.Properties<ChannelId>().HaveConversion<IdConverters.Channel>();
        configurationBuilder.Properties<BudgetId>().HaveConversion<IdConverters.Budget>();

        configurationBuilder.Properties<Said>().HaveConversion<SaidText>();

        // As columns of their own, so that SQL can sum, group and sort the micro-dollars.
        configurationBuilder.ComplexProperties<Money>();
        configurationBuilder.ComplexProperties<HourlyRate>();
        configurationBuilder.ComplexProperties<Market>();
    }

    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        builder.ApplyConfigurationsFromAssembly(typeof(AppDbContext).Assembly);
        ListComparer<string>.UseIn(builder);
        ListComparer<int>.UseIn(builder);

        Scope<Membership>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<Project>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<Connection>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<Job>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<Attempt>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<JobEvent>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<Artifact>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<Instance>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<LedgerEntry>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<Budget>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<RoleLimit>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<Decision>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<BudgetHold>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<SpendStep>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<BillLine>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<BillReading>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<ForgottenRental>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<InboxItem>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<OutboxMessage>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<UnknownMachine>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<PriceAlertRow>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<PriceWatch>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<Notice>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<NotificationChannel>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<Delivery>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<AlertRule>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<AlertMove>(builder, e => TeamScope == null || e.TeamId == TeamScope);
        Scope<ApiToken>(builder, e => TeamScope == null || e.TeamId == TeamScope);
    }

    private static void Scope<TEntity>(ModelBuilder builder, Expression<Func<TEntity, bool>> belongs)
        where TEntity : class => builder.Entity<TEntity>().HasQueryFilter(belongs);

    private sealed class SaidText() : ValueConverter<Said, string>(said => said.Stored, text => Said.Read(text));

    private sealed class UnixMilliseconds() : ValueConverter<DateTimeOffset, long>(
        at => at.ToUnixTimeMilliseconds(),
        ms => DateTimeOffset.FromUnixTimeMilliseconds(ms));
}

internal static class IdConverters
{
    internal sealed class Team() : ValueConverter<TeamId, Guid>(id => id.Value, value => new TeamId(value));

    internal sealed class User() : ValueConverter<UserId, Guid>(id => id.Value, value => new UserId(value));

    internal sealed class Connection() : ValueConverter<ConnectionId, Guid>(id => id.Value, value => new ConnectionId(value));

    internal sealed class Project() : ValueConverter<ProjectId, Guid>(id => id.Value, value => new ProjectId(value));

    internal sealed class Job() : ValueConverter<JobId, Guid>(id => id.Value, value => new JobId(value));

    internal sealed class Attempt() : ValueConverter<AttemptId, Guid>(id => id.Value, value => new AttemptId(value));

    internal sealed class Instance() : ValueConverter<InstanceId, Guid>(id => id.Value, value => new InstanceId(value));

    internal sealed class AlertRule() : ValueConverter<AlertRuleId, Guid>(id => id.Value, value => new AlertRuleId(value));

    internal sealed class Channel() : ValueConverter<ChannelId, Guid>(id => id.Value, value => new ChannelId(value));

    internal sealed class Budget() : ValueConverter<BudgetId, Guid>(id => id.Value, value => new BudgetId(value));
}
