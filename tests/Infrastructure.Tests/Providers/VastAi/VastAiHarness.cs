using System.Collections.Concurrent;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Providers;
using Dashboard.Infrastructure.Providers.VastAi;
using Dashboard.Infrastructure.Secrets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Secret = Dashboard.Domain.Marketplaces.Secret;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

/// <summary>The production registration, with everything logged at Trace and times short enough to test.</summary>
internal sealed class VastAiHarness : IAsyncDisposable
{
    public const string Key = "canary-7f3d90b2c41e4a58";

    private readonly ServiceProvider _services;

    public VastAiHarness(IEnumerable<KeyValuePair<string, string?>>? settings = null, TimeProvider? time = null)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([
                new("Providers:VastAi:FirstRetryDelay", "00:00:00.010"),
                new("Providers:VastAi:CallTimeout", "00:00:05"),
            ])
            .AddInMemoryCollection(settings)
            .Build();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(Log));
        services.AddSingleton(time ?? TimeProvider.System);
        services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider());
        services.AddMarketplaces(configuration);
        _services = services.BuildServiceProvider();
    }

    public EverythingLogged Log { get; } = new();

    public ICredentialVault Vault => _services.GetRequiredService<ICredentialVault>();

    public IMarketplaces Marketplaces => _services.GetRequiredService<IMarketplaces>();

    public static Market MarketAt(string baseUrl, bool simulated = true) => new(Provider.VastAi, baseUrl, simulated);

    public IMarketplace At(ScriptedProvider provider, bool simulated = true) => Marketplaces.For(MarketAt(provider.BaseUrl, simulated), new Secret(Key));

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}

/// <summary>Every log message, its state, scopes and exceptions, as one text.</summary>
internal sealed class EverythingLogged : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public string Text => string.Join('\n', _lines);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        _lines.Enqueue($"{state}");
        return null;
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var parts = state is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join(' ', pairs.Select(pair => $"{pair.Key}={pair.Value}")) : "";
        _lines.Enqueue($"{logLevel} {formatter(state, exception)} {parts} {exception}");
    }

    public void Dispose()
    {
    }
}

/// <summary>Rows as the service is documented to send them, and what we rent with.</summary>
internal static class Sample
{
    public const string Label = "gd1-k7m2q9xd-01k9zq3m5v8r2t6w0y4b1c7d3e-5f8n2p7h";

    public const string Offer = """
        {"id":45120077,"ask_contract_id":45120077,"bundle_id":991204511,"bundled_results":null,"machine_id":30412,"host_id":77120,
        "gpu_name":"RTX 4090","gpu_arch":"nvidia","num_gpus":1,"gpu_ram":24564,"gpu_total_ram":24564,"gpu_frac":0.25,"gpu_lanes":16,
        "compute_cap":890,"cuda_max_good":12.8,"driver_version":"570.86.15","total_flops":82.6,"dlperf":92.4,"score":244.1,
        "cpu_name":"EPYC 7543","cpu_cores":64,"cpu_cores_effective":16.0,"cpu_ghz":3.7,"cpu_ram":257600,"cpu_arch":"amd64","has_avx":1,
        "disk_space":812.4,"disk_bw":3120.0,"inet_up":842.1,"inet_down":911.7,"inet_up_cost":0.003,"inet_down_cost":0.003,
        "direct_port_count":249,"static_ip":true,"public_ipaddr":"203.0.113.42","geolocation":"Ohio, US","geolocode":1101,
        "reliability":0.9931,"reliability2":0.9931,"verification":"verified","rentable":true,"rented":false,"is_bid":false,
        "dph_base":0.3612,"dph_total":0.369533,"min_bid":0.18,"storage_cost":0.15,"storage_total_cost":0.008333,"vram_costperhour":1.50437e-05,
        "start_date":1788000000.0,"end_date":1792592000.0,"duration":2592000.0,"external":null,"logo":"/static/logos/vastai_small2.png"}
        """;

    public const string Instance = """
        {"id":51880423,"machine_id":30412,"host_id":77120,"label":"gd1-k7m2q9xd-01k9zq3m5v8r2t6w0y4b1c7d3e-5f8n2p7h",
        "actual_status":"running","intended_status":"running","cur_state":"running","next_state":"running",
        "status_msg":"success, running pytorch/pytorch_2.4.0-cuda12.4-cudnn9-runtime/ssh\n","image_runtype":"ssh_direc ssh_proxy",
        "extra_env":[["HF_HOME","/workspace/hf"],["-p 6006:6006","1"]],"onstart":"env >> /etc/environment","jupyter_token":"53fc44ed30",
        "ssh_host":"ssh7.vast.ai","ssh_port":10422,"ssh_idx":"7","public_ipaddr":"203.0.113.42 ","local_ipaddrs":"10.2.0.31 172.17.0.1 \n",
        "direct_port_start":41020,"ports":{"22/tcp":[{"HostIp":"0.0.0.0","HostPort":"41022"},{"HostIp":"::","HostPort":"41022"}]},
        "start_date":1790000012.4,"end_date":1792592000.0,"duration":2591387.6,"uptime_mins":7.5,"num_gpus":1,"gpu_name":"RTX 4090",
        "gpu_util":87.0,"cuda_max_good":12.8,"disk_space":40.0,"inet_up_cost":0.003,"inet_down_cost":0.003,"geolocation":"Ohio, US",
        "is_bid":false,"min_bid":0.18,"dph_base":0.3612,"dph_total":0.369533,"storage_cost":0.15,"storage_total_cost":0.008333}
        """;

    public static OfferQuery Query => new() { DiskGb = 40 };

    public static LaunchSpec Launch => new() { Label = Label, Image = "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime", DiskGb = 40, OnStart = "true" };

    public static Offer AnOffer => new()
    {
        Id = "45120077", MachineId = "30412", GpuName = "RTX 4090", GpuCount = 1, VramMb = 24_564, Rental = RentalType.OnDemand, GpuRate = new HourlyRate(361_200),
        DiskRate = new HourlyRate(8_333), StorageUsdPerGbMonth = 0.15m, DownloadPerGb = new Money(3_000), UploadPerGb = new Money(3_000), DiskGb = 812.4m,
    };

    /// <summary>The sample with some fields replaced, added, or (null) taken away.</summary>
    public static string With(string row, params (string Field, System.Text.Json.Nodes.JsonNode? Value)[] changes)
    {
        var changed = System.Text.Json.Nodes.JsonNode.Parse(row)!.AsObject();
        foreach (var (field, value) in changes)
        {
            changed[field] = value;
        }

        return changed.ToJsonString();
    }

    public static Reply Offers(params string[] rows) => new(200, $$"""{"offers":[{{string.Join(',', rows)}}]}""");

    public static Reply Page(string[] rows, int? total = null, string? next = null) =>
        new(200, $$"""{"success":true,"instances_found":{{rows.Length}},"total_instances":{{total ?? rows.Length}},"label_counts":{},"next_token":{{(next is null ? "null" : $"\"{next}\"")}},"instances":[{{string.Join(',', rows)}}]}""");
}
