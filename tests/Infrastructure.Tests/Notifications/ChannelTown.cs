using System.Collections.Concurrent;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Notifications;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Egress;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Secrets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Secret = Dashboard.Domain.Marketplaces.Secret;

namespace Dashboard.Infrastructure.Tests.Notifications;

/// <summary>A team with channels, on a real database with the product's own dispatchers; time is turned by hand, receivers are real servers on loopback.</summary>
internal sealed class ChannelTown : IAsyncDisposable, ILoggerProvider
{
    public const string SigningSecret = "whsec_abcdefghijklmnopqrstuvwxyz012345";

    private readonly string _folder = Directory.CreateTempSubdirectory("channels-").FullName;
    private readonly ServiceProvider _services;

    private ChannelTown(IReadOnlyDictionary<string, string?> settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton(new DataDirectory(_folder)).AddSingleton(new SiteAddress(new Uri("https://gpu.example.org")));
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Information).AddProvider(this));
        services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(Path.Combine(_folder, "keys")));
        services.AddSingleton<ICredentialVault, CredentialVault>();
        services.AddOptions<EgressOptions>().Bind(configuration.GetSection(EgressOptions.Section));
        services.AddSingleton(p => new EgressClient(p.GetRequiredService<Microsoft.Extensions.Options.IOptions<EgressOptions>>(), TimeProvider.System)); // its patience is real: so are the servers
        services.AddPersistence($"Data Source={DatabasePath};Default Timeout=30");
        services.AddSingleton<ChangeFeed>();
        services.AddNotifications();
        services.AddSingleton(p => new Mailer(p.GetRequiredService<Microsoft.Extensions.Options.IOptions<SmtpOptions>>(), p.GetRequiredService<SiteAddress>(), TimeProvider.System));
        _services = services.BuildServiceProvider();
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 10, 9, 0, 0, TimeSpan.Zero));

    public DateTimeOffset Now => Time.GetUtcNow();

    public string DatabasePath => Path.Combine(_folder, "dashboard.db");

    public AppDatabase Database => Get<AppDatabase>();

    public Team Team { get; private set; } = null!;

    public UserId Mira { get; } = new(Guid.NewGuid());

    /// <summary>All that was logged, down to the last detail.</summary>
    public ConcurrentQueue<string> Log { get; } = new();

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public static async Task<ChannelTown> OpenAsync(params (string Key, string? Value)[] settings)
    {
        var town = new ChannelTown(new Dictionary<string, string?> { ["Egress:AllowedPrivateHosts:0"] = "127.0.0.1" }.Concat(settings.Select(s => KeyValuePair.Create(s.Key, s.Value))).GroupBy(s => s.Key).ToDictionary(s => s.Key, s => s.Last().Value));
        await MigratedDatabase.CopyToAsync(town.DatabasePath);
        await using var db = await town.Database.ForSystemAsync(default);
        town.Team = new Team { Id = new TeamId(Guid.NewGuid()), Name = "Halden Lab", Slug = "halden-lab", CreatedAt = town.Now };
        db.Teams.Add(town.Team);
        db.Users.Add(new DashboardUser { Id = town.Mira.Value, UserName = "mira", DisplayName = "Mira Okafor" });
        db.Memberships.Add(new Membership { TeamId = town.Team.Id, UserId = town.Mira, Role = Role.Member, Since = town.Now });
        await db.SaveChangesAsync();
        return town;
    }

    public async Task<ChannelId> ChannelAsync(ChannelKind kind, string address, Topics topics = Topics.All, UserId? owner = null, QuietHours? quiet = null, string? name = null)
    {
        var id = new ChannelId(Guid.NewGuid());
        var vault = Get<ICredentialVault>();
        await using var db = await Database.ForSystemAsync(default);
        db.Channels.Add(new NotificationChannel
        {
            Id = id, TeamId = Team.Id, OwnerId = owner, Kind = kind, Name = name ?? kind.ToString(), ProtectedAddress = vault.Protect(Team.Id, id, ChannelSecrets.Address, new Secret(address)),
            Shown = ChannelSender.Shown(kind, new Secret(address)), ProtectedSecret = kind == ChannelKind.Webhook ? vault.Protect(Team.Id, id, ChannelSecrets.Signing, new Secret(SigningSecret)) : null,
            Topics = topics, Quiet = quiet, CreatedBy = Mira, CreatedAt = Now,
        });
        await db.SaveChangesAsync();
        return id;
    }

    /// <summary>A job of <paramref name="by"/> has ended, and that is announced in the transaction that says so.</summary>
    public async Task<Job> EndJobAsync(int number = 1, UserId? by = null, string name = "support-bot")
    {
        await using var db = await Database.ForSystemAsync(default);
        var job = new Job
        {
            Id = new JobId(Guid.NewGuid()), TeamId = Team.Id, Number = number, ProjectId = new ProjectId(Guid.NewGuid()), CreatedBy = by ?? Mira, Name = name, Tags = [],
            Spec = new TrainingSpec { Preset = Presets.Smoke }, ConnectionId = new ConnectionId(Guid.NewGuid()), Needs = new MachineNeeds([]), Limits = new JobLimits(null, null, null), Estimate = null, CreatedAt = Now,
        };
        job.MoveTo(JobStatus.Failed, Now);
        job.Message = "The script ended with 1." + Said.Money(" It cost $0.02.");
        db.Jobs.Add(job);
        Outbox.Announce(db, Team.Id, OutboxKinds.JobEnded, $"{job.Id}/1", $"{{\"job\":\"{job.Id}\"}}", Now);
        await db.SaveChangesAsync();
        return job;
    }

    /// <summary>Something is in the inbox that money may be lost by.</summary>
    public async Task TroubleAsync(string kind, string key, bool critical = false)
    {
        await using var db = await Database.ForSystemAsync(default);
        InboxWriter.Open(db, Team.Id, kind, key, "Vast.ai has 3 h of credit left", "Add funds at the provider, or stop jobs.", "/connections", "See connection", Now, critical: critical);
        await db.SaveChangesAsync();
    }

    /// <summary>Fans out, then sends what is due.</summary>
    public async Task<int> DispatchAsync()
    {
        await new OutboxDispatcher(Database, new ChangeFeed(), Time, NullLogger<OutboxDispatcher>.Instance).RunAsync(default);
        return await Get<DeliveryDispatcher>().RunAsync(default);
    }

    public async Task<List<Delivery>> DeliveriesAsync()
    {
        await using var db = await Database.ForSystemAsync(default);
        return await db.Deliveries.AsNoTracking().OrderBy(d => d.Id).ToListAsync();
    }

    public async Task<NotificationChannel> ReadAsync(ChannelId id)
    {
        await using var db = await Database.ForSystemAsync(default);
        return await db.Channels.AsNoTracking().SingleAsync(c => c.Id == id);
    }

    public async Task ChangeAsync(Func<AppDbContext, Task> change)
    {
        await using var db = await Database.ForSystemAsync(default);
        await change(db);
        await db.SaveChangesAsync();
    }

    ILogger ILoggerProvider.CreateLogger(string categoryName) => new Recorder(Log, categoryName);

    void IDisposable.Dispose()
    {
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class Recorder(ConcurrentQueue<string> log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Enqueue($"{logLevel} {category} {formatter(state, exception)} {exception}");
    }
}
