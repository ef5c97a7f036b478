using Dashboard.Domain;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Prices;
using Dashboard.Infrastructure.Providers;
using Dashboard.Infrastructure.Secrets;
using Dashboard.Tests.Shared;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Secret = Dashboard.Domain.Marketplaces.Secret;

namespace Dashboard.Infrastructure.Tests.Prices;

/// <summary>One sandbox for the classes that poll it; each test begins with its limits and faults cleared.</summary>
public sealed class PricesSandbox : IAsyncLifetime
{
    public SandboxProcess Sandbox { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Sandbox = await SandboxProcess.StartAsync(new SandboxSettings { Port = 16560, InstancePorts = (46500, 46599) });

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();
}

[CollectionDefinition(nameof(PricesSandbox))]
public sealed class PricesSandboxCollection : ICollectionFixture<PricesSandbox>;

/// <summary>The price history as the server has it, on a database file of its own, with a clock that the test moves. Ticks are the test's too.</summary>
internal sealed class PriceHost : IAsyncDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("prices-");
    private readonly IReadOnlyDictionary<string, string?> _settings;
    private ServiceProvider _services;

    private PriceHost(IReadOnlyDictionary<string, string?> settings)
    {
        _settings = settings;
        Time.SetUtcNow(TimeProvider.System.GetUtcNow());
        _services = Build();
    }

    public FakeTimeProvider Time { get; } = new();

    public DateTimeOffset Began { get; } = TimeProvider.System.GetUtcNow();

    public AppDatabase Database => _services.GetRequiredService<AppDatabase>();

    public PriceStore Store => _services.GetRequiredService<PriceStore>();

    public PricePoller Poller => _services.GetRequiredService<PricePoller>();

    public IMarketplaces Marketplaces => _services.GetRequiredService<IMarketplaces>();

    public static async Task<PriceHost> StartAsync(params (string Key, string Value)[] settings)
    {
        var host = new PriceHost(settings.ToDictionary(s => s.Key, s => (string?)s.Value));
        await MigratedDatabase.CopyToAsync(Path.Combine(host._data.FullName, "dashboard.db"));
        return host;
    }

    /// <summary>Another server on the same database, as a second node has it.</summary>
    public PricePoller AnotherPoller() => Build().GetRequiredService<PricePoller>();

    /// <summary>The server ends without any farewell and another one starts.</summary>
    public async Task RestartAsync()
    {
        await _services.DisposeAsync();
        _services = Build();
        await _services.GetRequiredService<DatabaseStart>().RunAsync(default);
    }

    public async Task<Connection> ConnectAsync(SandboxProcess sandbox, string account = "314159", string? key = null)
    {
        key ??= sandbox.ApiKey;
        var now = Time.GetUtcNow();
        var team = new Team { Id = new TeamId(Guid.NewGuid()), Name = "Team", Slug = $"team-{Guid.NewGuid():N}", CreatedAt = now };
        var id = new ConnectionId(Guid.NewGuid());
        var connection = new Connection
        {
            Id = id, TeamId = team.Id, Market = new Market(Provider.VastAi, sandbox.BaseUrl, true), Name = "Sandbox", KeyEnding = key[^4..], AccountId = account, AccountName = "sandbox",
            ProtectedKey = _services.GetRequiredService<ICredentialVault>().Protect(team.Id, id, new Secret(key)), Status = ConnectionStatus.Works, CreatedAt = now,
        };
        await using var db = await Database.ForSystemAsync(default);
        db.AddRange(team, connection);
        await db.SaveChangesAsync();
        return connection;
    }

    public async Task TickAsync() => await Poller.RunAsync(TestContext.Current.CancellationToken);

    public async Task<T> ReadAsync<T>(Func<AppDbContext, Task<T>> query)
    {
        await using var db = await Database.ForSystemAsync(default);
        return await query(db);
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        _data.Delete(recursive: true);
    }

    private ServiceProvider Build()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(_settings).Build();
        return new ServiceCollection()
            .AddLogging()
            .AddSingleton<IConfiguration>(configuration)
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton(new DataDirectory(_data.FullName))
            .AddSingleton<LifecycleSignal>()
            .AddDataProtection().PersistKeysToFileSystem(_data.CreateSubdirectory("keys")).Services
            .AddPersistence($"Data Source={Path.Combine(_data.FullName, "dashboard.db")};Pooling=False;Default Timeout=30")
            .AddMarketplaces(configuration)
            .AddSingleton(new Node(Guid.NewGuid().ToString()))
            .AddSingleton<ChangeFeed>()
            .AddSingleton<IConnectionHealth, ConnectionHealth>()
            .AddPrices()
            .BuildServiceProvider();
    }
}
