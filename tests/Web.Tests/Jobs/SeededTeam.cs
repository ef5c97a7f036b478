using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Tests.Jobs;

/// <summary>A real database file with one team, one project and one simulated connection.</summary>
internal sealed class SeededTeam : IDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dashboard-team-");
    private readonly Team _team = new() { Id = new TeamId(Guid.NewGuid()), Name = "Halden Lab", Slug = "halden", CreatedAt = Start };

    public SeededTeam()
    {
        var options = EmptyDatabase.In(_folder);
        Database = new AppDatabase(new Factory(options));
        using var db = new AppDbContext(options);
        db.Teams.Add(_team);
        db.Users.Add(new DashboardUser { Id = User.Value, UserName = "mira", DisplayName = "Mira Okafor" });
        db.Projects.Add(new Project { Id = Project, TeamId = _team.Id, Name = "support-bot", CreatedAt = Start });
        db.Connections.Add(new Connection
        {
            Id = Connection,
            TeamId = _team.Id,
            Market = new Market(Provider.VastAi, "http://127.0.0.1:1", Simulated: true),
            Name = "Sandbox",
            ProtectedKey = "-",
            KeyEnding = "41ab",
            AccountId = "1",
            AccountName = "sandbox",
            Status = ConnectionStatus.Works,
            CreatedAt = Start,
        });
        db.SaveChanges();
    }

    public AppDatabase Database { get; }

    public UserId User { get; } = new(Guid.NewGuid());

    public ProjectId Project { get; } = new(Guid.NewGuid());

    public ConnectionId Connection { get; } = new(Guid.NewGuid());

    public TeamContext As(Role role) => TeamContext.Of(_team, new Membership { TeamId = _team.Id, UserId = User, Role = role, Since = Start });

    public static TeamContext Stranger()
    {
        var other = new Team { Id = new TeamId(Guid.NewGuid()), Name = "Others", Slug = "others", CreatedAt = Start };
        return TeamContext.Of(other, new Membership { TeamId = other.Id, UserId = new UserId(Guid.NewGuid()), Role = Role.Owner, Since = Start });
    }

    /// <summary>Adds a submitted job with this number.</summary>
    public async Task<Job> AddJobAsync(int number, Action<AppDbContext, Job>? with = null)
    {
        await using var db = await Database.ForSystemAsync(Xunit.TestContext.Current.CancellationToken);
        var job = new Job
        {
            Id = new JobId(Guid.NewGuid()),
            TeamId = _team.Id,
            Number = number,
            ProjectId = Project,
            CreatedBy = User,
            Name = $"support-bot-v{number}",
            Tags = ["r16"],
            Spec = new TrainingSpec { Preset = Presets.Smoke },
            ConnectionId = Connection,
            Needs = new MachineNeeds([]),
            Limits = new JobLimits(null, null, null),
            Estimate = new CostEstimate(new Money(1), new Money(2), new Money(3), TimeSpan.FromMinutes(3)),
            CreatedAt = Start,
        };
        db.Jobs.Add(job);
        with?.Invoke(db, job);
        await db.SaveChangesAsync(Xunit.TestContext.Current.CancellationToken);
        return job;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private sealed class Factory(DbContextOptions<AppDbContext> options) : IDbContextFactory<AppDbContext>
    {
        public AppDbContext CreateDbContext() => new(options);
    }
}
