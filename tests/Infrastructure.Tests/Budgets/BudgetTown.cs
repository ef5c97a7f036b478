using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Logs;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Infrastructure.Tests.Budgets;

/// <summary>A real SQLite database with the product's own budget steps on it, and time that a test turns by hand. One per test; many teams in it.</summary>
internal sealed class BudgetTown : IAsyncDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 11, 10, 9, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"budgets-{Guid.NewGuid():N}")).FullName; // in memory: what is tested is who gets the money, thousands of commits of it
    private readonly ServiceProvider _services;

    private BudgetTown()
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton(new DataDirectory(_folder));
        services.AddLogging();
        services.AddPersistence($"Data Source={Path.Combine(_folder, "dashboard.db")};Default Timeout=30");
        services.AddSingleton<ChangeFeed>();
        services.AddSingleton<LogStore>();
        services.AddSingleton<Fences>();
        services.AddSingleton<InstanceRecords>();
        services.AddOptions<BudgetOptions>();
        services.AddSingleton<BudgetHolds>();
        services.AddSingleton<KeepFunded>();
        _services = services.BuildServiceProvider();
    }

    public FakeTimeProvider Time { get; } = new(Start);

    public DateTimeOffset Now => Time.GetUtcNow();

    public AppDatabase Database => Get<AppDatabase>();

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public static async Task<BudgetTown> OpenAsync()
    {
        var town = new BudgetTown();
        await MigratedDatabase.CopyToAsync(Path.Combine(town._folder, "dashboard.db"));
        return town;
    }

    public async Task<Neighbourhood> TeamAsync()
    {
        var here = new Neighbourhood(
            new Team { Id = new TeamId(Guid.NewGuid()), Name = "Halden Lab", Slug = Guid.NewGuid().ToString("N"), CreatedAt = Now },
            [.. new[] { "general", "legal-summaries" }.Select(name => new ProjectId(Guid.NewGuid()))],
            new ConnectionId(Guid.NewGuid()));
        await using var db = await Database.ForSystemAsync(default);
        db.Teams.Add(here.Team);
        db.Projects.AddRange(here.Projects.Select((p, n) => new Project { Id = p, TeamId = here.Team.Id, Name = n == 0 ? "general" : "legal-summaries", CreatedAt = Now }));
        db.Connections.Add(new Connection
        {
            Id = here.Connection, TeamId = here.Team.Id, Market = new Market(Provider.VastAi, "https://console.vast.ai", false), Name = "Vast.ai", ProtectedKey = "", KeyEnding = "41ab",
            AccountId = "1", AccountName = "lab", Status = ConnectionStatus.Works, CreatedAt = Now,
        });
        await db.SaveChangesAsync();
        return here;
    }

    public async Task<Budget> BudgetAsync(Neighbourhood here, decimal limit, ProjectId? project = null, AtLimit atLimit = AtLimit.SaveAndStop, BudgetPeriod period = BudgetPeriod.Month)
    {
        var budget = new Budget
        {
            Id = new BudgetId(Guid.NewGuid()), TeamId = here.Team.Id, Scope = project is null ? BudgetScope.Team : BudgetScope.Project, Subject = project?.ToString() ?? "", Simulated = false,
            Period = period, Limit = Money.FromUsd(limit), AtLimit = atLimit, CreatedAt = Now, PeriodStart = BudgetRules.PeriodStart(period, Now),
        };
        await using var db = await Database.ForSystemAsync(default);
        db.Budgets.Add(budget);
        await db.SaveChangesAsync();
        return budget;
    }

    /// <summary>A job as somebody submits it, admitted or not by the product's own rule. Returns who refused.</summary>
    public async Task<(Job Job, DoesNotFit? Refused)> SubmitAsync(Neighbourhood here, HourlyRate rate, Money high, TimeSpan duration, ProjectId? project = null, bool mayPause = false)
    {
        await using var db = await Database.ForSystemAsync(default);
        await using var transaction = await db.Database.BeginTransactionAsync();
        var team = await db.Teams.SingleAsync(t => t.Id == here.Team.Id);
        var job = new Job
        {
            Id = new JobId(Guid.NewGuid()), TeamId = here.Team.Id, Number = team.NextJobNumber++, ProjectId = project ?? here.Projects[0], CreatedBy = here.Person, Name = "test", Tags = [],
            Spec = new TrainingSpec { Preset = Presets.Smoke }, ConnectionId = here.Connection, Needs = new MachineNeeds([]), Limits = new JobLimits(null, null, null),
            Estimate = new CostEstimate(high, high, high, duration), MayPause = mayPause, CreatedAt = Now,
        };
        if (Admission.Ask(db, job, rate, simulated: false, new HoldTerms(), Now) is { } refused)
        {
            return (job, refused);
        }

        db.Jobs.Add(job);
        await db.SaveChangesAsync();
        await transaction.CommitAsync();
        return (job, null);
    }

    /// <summary>Hold and instance row in one immediate transaction, as provisioning writes them.</summary>
    /// <param name="crash">The process ends before the commit.</param>
    /// <returns>Null: refused, nothing was written.</returns>
    public async Task<Instance?> RentAsync(Job job, HourlyRate rate, bool crash = false)
    {
        await using var db = await Database.ForSystemAsync(default);
        await using var transaction = await db.Database.BeginTransactionAsync();
        var row = await db.Jobs.SingleAsync(j => j.Id == job.Id);
        var attempt = new Attempt { Id = new AttemptId(Guid.NewGuid()), TeamId = job.TeamId, JobId = job.Id, Number = row.AttemptCount + 1, CreatedAt = Now };
        var instance = new Instance
        {
            Id = new InstanceId(Guid.NewGuid()), TeamId = job.TeamId, JobId = job.Id, AttemptId = attempt.Id, AttemptNumber = attempt.Number, ConnectionId = job.ConnectionId, Label = Guid.NewGuid().ToString("N"),
            OfferId = "1", MachineId = "1", GpuName = "RTX 4090", GpuCount = 1, VramMb = 24_000, Rental = RentalType.OnDemand, DiskGb = 10, SshPublicKey = "", QuotedGpuRate = rate, QuotedDiskRate = HourlyRate.Zero,
            CeilingRate = rate, GpuRate = rate, DiskRate = HourlyRate.Zero, DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, BootLimit = TimeSpan.FromMinutes(10), CreatedAt = Now,
        };
        var hold = Get<BudgetHolds>().Take(db, row, instance, simulated: false, startedAt: null, Now);
        if (hold.Refused is not null || crash)
        {
            return null;
        }

        (row.AttemptCount, instance.HeldUntil, instance.RenewHoldAt) = (attempt.Number, hold.Until, Now + Get<BudgetHolds>().RenewEvery);
        row.MoveTo(JobStatus.Provisioning, Now);
        db.Attempts.Add(attempt);
        db.Instances.Add(instance);
        await db.SaveChangesAsync();
        await transaction.CommitAsync();
        return instance;
    }

    /// <summary>The product's own step that keeps a machine paid for.</summary>
    public async Task KeepFundedAsync(InstanceId id)
    {
        var row = await Get<InstanceRecords>().ReadAsync(id, default);
        await using var lease = await RowLease.ClaimAsync(Database, id, row.Instance.Fence, new Node("test"), Time, default);
        await Get<KeepFunded>().RunAsync(row, lease!);
    }

    public Task ChangeAsync(InstanceId id, Action<InstanceChange> change) => Get<InstanceRecords>().ApplyAsync(id, null, change, default);

    public async Task<Instance> InstanceAsync(InstanceId id)
    {
        await using var db = await Database.ForSystemAsync(default);
        return await db.Instances.AsNoTracking().SingleAsync(i => i.Id == id);
    }

    public async Task<Budget> ReadAsync(Budget budget)
    {
        await using var db = await Database.ForSystemAsync(default);
        return await db.Budgets.AsNoTracking().SingleAsync(b => b.Id == budget.Id);
    }

    /// <summary>What the counters are kept from: the ledger and the holds.</summary>
    public async Task<(Money Accrued, Money Held)> TruthAsync(Budget budget)
    {
        await using var db = await Database.ForSystemAsync(default);
        var start = BudgetRules.PeriodStart(budget.Period, Now);
        var entries = await db.Ledger.AsNoTracking().Where(e => e.TeamId == budget.TeamId && e.PeriodStart >= start).ToListAsync();
        var mine = entries.Where(e => BudgetRules.Concerns(budget, new Spender(e.TeamId, e.ProjectId, e.PersonId, e.Tags, e.JobId, e.Market.Simulated)));
        return (new Money(mine.Sum(e => e.Amount.Micros)), new Money(await db.BudgetHolds.Where(h => h.BudgetId == budget.Id).SumAsync(h => h.Amount.Micros)));
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>One team with two projects and a connection.</summary>
internal sealed record Neighbourhood(Team Team, IReadOnlyList<ProjectId> Projects, ConnectionId Connection)
{
    public UserId Person { get; } = new(Guid.NewGuid());
}
