using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Scheduling;
using Dashboard.Web.Features.Jobs;
using Dashboard.Web.Layout;
using Dashboard.Web.Startup;
using Dashboard.Web.Tests.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Web.Tests.Approvals;

/// <summary>A team of four on a real database: Mira owns it, Tomás is an admin, Priya and Jonas are members. The market has one offer, at $0.240/h.</summary>
internal sealed class ApprovalTown : IDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("dashboard-approvals-");
    private readonly AppDatabase _database;
    private readonly ServiceProvider _services;

    public ApprovalTown()
    {
        _database = new AppDatabase(new Contexts(EmptyDatabase.In(_data)));
        Time.SetUtcNow(new DateTimeOffset(2026, 11, 23, 18, 4, 12, TimeSpan.Zero));
        var services = new ServiceCollection();
        AddTo(services);
        services.AddOptions().AddLogging();
        _services = services.BuildServiceProvider();
        Seed();
    }

    public FakeTimeProvider Time { get; } = new();

    public Team Team { get; } = new() { Id = new TeamId(Guid.NewGuid()), Name = "Halden Lab", Slug = "halden", CreatedAt = DateTimeOffset.UnixEpoch };

    public TeamContext Mira { get; private set; } = null!;

    public TeamContext Tomas { get; private set; } = null!;

    public TeamContext Priya { get; private set; } = null!;

    public TeamContext Jonas { get; private set; } = null!;

    public ConnectionId Connection { get; } = new(Guid.NewGuid());

    /// <summary>A script of ten hours: about $2.40 on the one offer.</summary>
    public JobRequest TenHours => new()
    {
        Name = "support-bot-v9", ConnectionId = Connection, Limits = new JobLimits(null, null, TimeSpan.FromHours(10)),
        Spec = new TrainingSpec { Preset = Presets.Command, Image = "python:3.12-slim", Command = new CommandSpec("true", []) },
    };

    /// <summary>The product's own services on this town's database.</summary>
    public void AddTo(IServiceCollection services)
    {
        services.AddSingleton<TimeProvider>(Time).AddSingleton(_database).AddSingleton<IMarketplaces>(new OneOffer()).AddSingleton<INudgeProvisioning, NoNudge>();
        services.AddSingleton<ChangeFeed>().AddSingleton<LifecycleSignal>().AddSingleton<OutbidMachines>();
        services.AddJobFeatures();
        services.AddJobPages();
        services.AddPages();
    }

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public AppDbContext Open() => _database.ForSystemAsync(default).GetAwaiter().GetResult();

    /// <summary>What a role may spend without asking, USD.</summary>
    public void Limit(Role role, decimal? perJob = null, decimal? perHour = null, decimal? perMonth = null)
    {
        using var db = Open();
        db.RoleLimits.Where(l => l.Role == role).ExecuteDelete();
        db.RoleLimits.Add(new RoleLimit
        {
            TeamId = Team.Id, Role = role, PerJob = perJob is { } job ? Money.FromUsd(job) : null, PerHour = perHour is { } hour ? HourlyRate.FromUsd(hour) : null, PerMonth = perMonth is { } month ? Money.FromUsd(month) : null,
        });
        db.SaveChanges();
    }

    public async Task<SubmitResult.Accepted> SubmitAsync(TeamContext person, JobRequest? request = null) =>
        Assert.IsType<SubmitResult.Accepted>(await Get<SubmitJob>().RunAsync(person, request ?? TenHours, default));

    public Job Job(int number)
    {
        using var db = Open();
        return db.Jobs.AsNoTracking().Single(j => j.Number == number);
    }

    public List<string> Events(int number)
    {
        using var db = Open();
        var id = db.Jobs.Single(j => j.Number == number).Id;
        return [.. db.JobEvents.Where(e => e.JobId == id).OrderBy(e => e.Id).Select(e => e.Text.Full)];
    }

    public List<Decision> Decisions()
    {
        using var db = Open();
        return [.. db.Decisions.AsNoTracking().OrderBy(d => d.Id)];
    }

    public void Dispose()
    {
        _services.Dispose();
        _data.Delete(recursive: true);
    }

    private void Seed()
    {
        using var db = Open();
        db.Teams.Add(Team);
        db.Projects.Add(new Project { Id = new ProjectId(Guid.NewGuid()), TeamId = Team.Id, Name = "general", CreatedAt = Time.GetUtcNow() });
        db.Connections.Add(new Connection
        {
            Id = Connection, TeamId = Team.Id, Market = TeamSeed.VastAi, Name = "Vast.ai", ProtectedKey = "-", KeyEnding = "41ab", AccountId = "1", AccountName = "halden", Status = ConnectionStatus.Works, CreatedAt = Time.GetUtcNow(),
        });
        (Mira, Tomas, Priya, Jonas) = (Join(db, "Mira Okafor", Role.Owner), Join(db, "Tomás Rey", Role.Admin), Join(db, "Priya Nair", Role.Member), Join(db, "Jonas Vik", Role.Member));
        db.SaveChanges();
    }

    private TeamContext Join(AppDbContext db, string name, Role role)
    {
        var membership = new Membership { TeamId = Team.Id, UserId = new UserId(Guid.NewGuid()), Role = role, Since = Time.GetUtcNow() };
        db.Users.Add(new DashboardUser { Id = membership.UserId.Value, UserName = name, DisplayName = name });
        db.Memberships.Add(membership);
        return TeamContext.Of(Team, membership);
    }

    private sealed class Contexts(DbContextOptions<AppDbContext> options) : IDbContextFactory<AppDbContext>
    {
        public AppDbContext CreateDbContext() => new(options);
    }

    private sealed class NoNudge : INudgeProvisioning
    {
        public void Provision(JobId job) { }
    }

    private sealed class OneOffer : IMarketplaces
    {
        public IMarketplace For(Connection connection) => NewJobPageTests.SearchOnly.Over(_ => Task.FromResult<IReadOnlyList<Offer>>(
        [
            new Offer
            {
                Id = "one", MachineId = "m-one", GpuName = "RTX 3090", GpuCount = 1, VramMb = 24_564, Rental = RentalType.OnDemand, GpuRate = HourlyRate.FromUsd(0.23m), DiskRate = HourlyRate.FromUsd(0.01m),
                StorageUsdPerGbMonth = 0.2m, DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, DiskGb = 100, Reliability = 1m,
            },
        ]));

        public IMarketplace For(Market market, Secret key) => throw new NotSupportedException();
    }
}
