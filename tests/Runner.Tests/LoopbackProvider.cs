using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Dashboard.Runner.Tests;

/// <summary>A provider's endpoint on loopback that notes every request and, while it is open, who has the key on a command line.</summary>
public sealed class LoopbackProvider : IAsyncDisposable
{
    public const string ContractId = "4711";
    public const string Key = "instance-key-d41d8cd98f";

    private readonly HttpListener _listener = new();
    private readonly Task _serving;

    public LoopbackProvider()
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            BaseUrl = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        }

        _listener.Prefixes.Add(BaseUrl + "/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public string BaseUrl { get; }
    public ConcurrentQueue<(string Method, string Path, string? Authorization, string Body, bool KeyOnACommandLine)> Requests { get; } = new();

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext call;
            try
            {
                call = await _listener.GetContextAsync();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return; // disposed
            }

            using var reader = new StreamReader(call.Request.InputStream);
            var body = await reader.ReadToEndAsync();
            Requests.Enqueue((call.Request.HttpMethod, call.Request.Url!.AbsolutePath, call.Request.Headers["Authorization"], body, KeyIsOnACommandLine()));
            await call.Response.OutputStream.WriteAsync("""{"success":true}"""u8.ToArray());
            call.Response.Close();
        }
    }

    private static bool KeyIsOnACommandLine() =>
        Directory.GetDirectories("/proc").Any(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid)
            && RentedMachine.ProcFile(pid, "cmdline").Contains(Key, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }
}
