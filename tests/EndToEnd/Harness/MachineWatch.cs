using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd.Harness;

/// <summary>Looks at the machines' own disks while they live and remembers what the trainers wrote there: the other end of "the same file".</summary>
internal sealed class MachineWatch : IAsyncDisposable
{
    private const string Adapter = "adapter_model.safetensors";
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);
    private readonly ConcurrentDictionary<string, string> _adapters = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly SandboxProcess _sandbox;
    private readonly Task _watching;

    public MachineWatch(SandboxProcess sandbox)
    {
        _sandbox = sandbox;
        _watching = WatchAsync();
    }

    /// <summary>SHA-256, lower-case hex, of the finished adapter that was on the machine of this contract; null when none was seen.</summary>
    public string? AdapterOf(string contractId) => _adapters.GetValueOrDefault(contractId);

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _watching;
        _closing.Dispose();
    }

    private async Task WatchAsync()
    {
        var roots = new Dictionary<string, string>();
        using var timer = new PeriodicTimer(LookEvery, TimeProvider.System);
        try
        {
            for (var look = 0; await timer.WaitForNextTickAsync(_closing.Token); look++)
            {
                if (look % 10 == 0)
                {
                    await AddRootsAsync(roots);
                }

                foreach (var (contract, root) in roots.Where(root => !_adapters.ContainsKey(root.Key)))
                {
                    Look(contract, root);
                }
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
        }
    }

    private async Task AddRootsAsync(Dictionary<string, string> roots)
    {
        foreach (var instance in (await _sandbox.TruthAsync(_closing.Token)).GetProperty("instances").EnumerateArray())
        {
            var id = instance.GetProperty("id").ToString();
            if (!roots.ContainsKey(id) && instance.GetProperty("destroyed").ValueKind == JsonValueKind.Null && await _sandbox.RootOfAsync(id, _closing.Token) is { } root)
            {
                roots[id] = root;
            }
        }
    }

    // The folder may vanish at any moment: the machine is being destroyed.
    private void Look(string contract, string root)
    {
        try
        {
            foreach (var complete in Directory.EnumerateFiles(root, "MANIFEST.sha256", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 6, AttributesToSkip = FileAttributes.ReparsePoint }))
            {
                var adapter = Path.Combine(Path.GetDirectoryName(complete)!, "adapter", Adapter);
                if (File.Exists(adapter))
                {
                    _adapters[contract] = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(adapter)));
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
        }
    }
}
